"""One trained translator for several runs: methods that share it differ in the segmentation stage alone."""

import shutil

from attent_tf.configs import config_to_dict
from attent_tf.errors import RunError
from attent_tf.files import folder_written_aside
from attent_tf.runs.networks import trained_steps
from attent_tf.runs.run import Run

_STAGE = "translation"


def reuse_translation(run: Run, donor: Run) -> None:
    """Copies the finished translation stage of another run, which would come out the same to the last bit.

    Args:
      run: a run without a translation stage.
      donor: a run of the same records, direction, seed and translator, whose translation stage is complete.

    Raises:
      RunError: the donor's stage is of something else, or not complete.
    """
    for name, of in _IDENTITY.items():
        wanted, found = of(run), of(donor)
        if wanted != found:
            raise RunError(
                f"{donor.folder}: expected a run with the {name} {wanted!r}, found {found!r}; name another run or train "
                "the translation here"
            )
    done, planned = trained_steps(donor, _STAGE)
    if not planned or done < planned:
        raise RunError(
            f"{donor.folder}: expected a finished translation stage, found step {done} of {planned}; finish it first"
        )
    with folder_written_aside(run.stage_folder(_STAGE)) as aside:
        shutil.copytree(donor.stage_folder(_STAGE), aside, dirs_exist_ok=True)


def _section(name):
    return lambda run: config_to_dict(run.config)[name]


_IDENTITY = {
    "records": lambda run: run.records,
    "direction": lambda run: run.direction,
    "translator": lambda run: run.method.translator,
    "seed": lambda run: run.config.seed,
    "data settings": _section("data"),
    "translation settings": _section("translation"),
}
