"""AttENT for TensorFlow: organ segmentation in one imaging modality, learnt from labels in another.

`import attent_tf as at` offers the names in `__all__`, each of which is loaded when it is first used: importing this
package loads no TensorFlow, no Beam and no NumPy. These names are public: within one major version they keep their
arguments and their meaning, and a name that is to be removed warns for one minor version before. All other names, modules
and attributes are private.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

from attent_tf.runtime import choose_kernels

choose_kernels()

# One name a line, by what it is for; docs/python-api.md shows each in use.
__all__ = [  # noqa: RUF022
    # The verbs of the command, in its words.
    "preprocess",
    "train",
    "check",
    "evaluate",
    "benchmark",
    # Trained networks and arrays.
    "load_run",
    "load_chain",
    "segment_volume",
    "translate_volume",
    # What there is to choose from.
    "METHODS",
    "load_config",
    "load_task",
    # Networks, equations and measures.
    "models",
    "layers",
    "losses",
    "metrics",
    # What functions take, return and raise.
    "Benchmark",
    "Config",
    "Evaluation",
    "LoadedChain",
    "Manifest",
    "Method",
    "Observer",
    "Run",
    "Signs",
    "SilentObserver",
    "Task",
    "errors",
    "__version__",
]

if TYPE_CHECKING:
    from attent_tf import errors, layers, losses, metrics, models
    from attent_tf.api.benchmarks import Benchmark, benchmark
    from attent_tf.api.chains import LoadedChain, load_chain
    from attent_tf.api.scoring import check, evaluate
    from attent_tf.api.training import train
    from attent_tf.api.volumes import segment_volume, translate_volume
    from attent_tf.configs import Config, load_config
    from attent_tf.data.manifest import Manifest
    from attent_tf.evaluation.folder import Evaluation
    from attent_tf.methods import METHODS, Method
    from attent_tf.progress import Observer, SilentObserver
    from attent_tf.runs import Run, load_run
    from attent_tf.signs import Signs
    from attent_tf.tasks import Task, load_task
    from beam_preprocess.api import preprocess
else:
    # The same again, for running the code. Beam's package stands above this one, so it is known by its name alone.
    _MODULES = {
        "attent_tf": ("errors", "layers", "losses", "metrics", "models"),
        "attent_tf.api.benchmarks": ("Benchmark", "benchmark"),
        "attent_tf.api.chains": ("LoadedChain", "load_chain"),
        "attent_tf.api.scoring": ("check", "evaluate"),
        "attent_tf.api.training": ("train",),
        "attent_tf.api.volumes": ("segment_volume", "translate_volume"),
        "attent_tf.configs": ("Config", "load_config"),
        "attent_tf.data.manifest": ("Manifest",),
        "attent_tf.evaluation.folder": ("Evaluation",),
        "attent_tf.methods": ("METHODS", "Method"),
        "attent_tf.progress": ("Observer", "SilentObserver"),
        "attent_tf.runs": ("Run", "load_run"),
        "attent_tf.signs": ("Signs",),
        "attent_tf.tasks": ("Task", "load_task"),
        "beam_preprocess.api": ("preprocess",),
    }
    _PLACES = {name: module for module, names in _MODULES.items() for name in names}

    def __getattr__(name: str):
        import importlib

        module = _PLACES.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = importlib.import_module(f"{module}.{name}" if module == __name__ else module)
        if module != __name__:
            value = getattr(value, name)
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__})
