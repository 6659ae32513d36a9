"""`train`: what `attent train` does."""

import os
from collections.abc import Sequence

from attent_tf.choices import Precision, Strategy
from attent_tf.configs import given_keys, load_config, uses
from attent_tf.methods import get_method
from attent_tf.progress import Progress, QuietObserver, Say, observer_of
from attent_tf.runs import Run
from attent_tf.runtime import start_quietly


def train(
    records: str | os.PathLike[str],
    out: str | os.PathLike[str],
    direction: str,
    method: str = "attent",
    config: str | os.PathLike[str] = "recommended",
    set: Sequence[str] = (),
    stage: str = "all",
    strategy: Strategy = "auto",
    precision: Precision | None = None,
    jit: bool = False,
    deterministic: bool = False,
    translation_from: str | os.PathLike[str] | None = None,
    fresh: bool = False,
    progress: Progress = None,
) -> Run:
    """Trains a method on a records folder, or goes on where an earlier call stopped.

    Args:
      records: a records folder, from `preprocess`.
      out: the run folder; one that holds a checkpoint is resumed.
      direction: from the labelled source to the unlabelled target, domains of the records, such as `mri2ct`.
      method: one of `METHODS`.
      config: name of a configuration that ships, or a file.
      set: keys to change, such as `["translation.steps=200"]`.
      stage: `all`, or the id of one of the method's stages.
      strategy: `auto` or `mirrored` (every GPU, or else the CPU), `one`, or `multi_worker`.
      precision: `float32`, `mixed_bfloat16` or `mixed_float16`, in place of the configuration's.
      jit: compile gradients with XLA; for GPUs.
      deterministic: every run on the same machine gives the same bits; this holds for the rest of the process.
      translation_from: a run whose finished translation stage is reused.
      fresh: refuse to go on with a run that has a checkpoint.
      progress: see `attent_tf.progress.Progress`.

    Returns:
      The run.

    Raises:
      AttentError: a name is unknown, records do not fit, the run folder has another configuration, or losses are not
      finite.
    """
    chosen = [f"precision={precision}"] if precision else []
    loaded = load_config(os.fspath(config), [*set, *chosen, *(["jit=true"] if jit else [])])
    start_quietly()
    if deterministic:
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    from attent_tf.training.strategies import make_strategy, worker_index
    from attent_tf.training.train import train as train_run

    devices, observer = make_strategy(strategy), observer_of(progress)
    if worker_index(devices):
        # Workers share one terminal more often than not; the chief speaks for all.
        observer = QuietObserver(observer.say)
    else:
        tell_unused([method], config, set, observer.say)
    return train_run(records, out, method, direction, loaded, observer, stage, fresh, devices, translation_from)


def tell_unused(methods: Sequence[str], config: str | os.PathLike[str], overrides: Sequence[str], say: Say) -> None:
    """Says which keys of a user's own configuration, and which changed keys, the chosen methods do not read.

    Args:
      methods: ids of the methods that are trained.
      config: name or file of the configuration.
      overrides: keys that are changed, as `KEY=VALUE`.
      say: called with the line, if there is one.

    Raises:
      ConfigError: a method is unknown.
    """
    chosen = [get_method(method) for method in methods]
    unused = [
        key for key in given_keys(os.fspath(config), overrides) if not any(uses(method, key) for method in chosen)
    ]
    if unused:
        say(f"Warning: {', '.join(unused)}: not used by {', '.join(methods)}")
