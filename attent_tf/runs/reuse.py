"""One trained translator for several runs.

Methods that share it differ in the segmentation stage alone; and since a CycleGAN treats its two domains alike, the one that was
trained for a direction serves the other as well.
"""

import shutil

from attent_tf.configs import config_to_dict
from attent_tf.errors import RunError
from attent_tf.files import folder_written_aside, write_json
from attent_tf.runs.networks import stage_description, trained_steps
from attent_tf.runs.run import Run

_STAGE = "translation"
# Their names speak of source and target, which change places.
_OF_ONE_DIRECTION = ("history.csv", "events")


def reuse_translation(run: Run, donor: Run) -> None:
    """Copies the finished translation stage of another run.

    From a run of the same direction it is what the run would train itself, to the last bit. From one of the other direction it is
    the same CycleGAN with source and target in other places, whose history stays where it was written.

    Args:
      run: a run without a translation stage.
      donor: a run of the same records, seed and translator, whose translation stage is complete.

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
    description = stage_description(donor, _STAGE)
    left_out = shutil.ignore_patterns(*(() if description["direction"] == run.direction else _OF_ONE_DIRECTION))
    with folder_written_aside(run.stage_folder(_STAGE)) as aside:
        shutil.copytree(donor.stage_folder(_STAGE), aside, dirs_exist_ok=True, ignore=left_out)
        # The donor's file may leave its direction to the donor's run, which the copy would not tell.
        write_json(aside / "stage.json", description)


def _section(name):
    return lambda run: config_to_dict(run.config)[name]


_IDENTITY = {
    "records": lambda run: run.records,
    "translator": lambda run: run.method.translator,
    "seed": lambda run: run.config.seed,
    "data settings": _section("data"),
    "translation settings": _section("translation"),
}
