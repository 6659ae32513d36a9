"""One trained stage for several runs.

Methods that begin with the same stage differ in what follows; and since a CycleGAN treats its two domains alike, the one that was
trained for a direction serves the other as well: its networks are named by the domains that they act on.
"""

import shutil

from attent_tf.configs import config_to_dict
from attent_tf.errors import ConfigError, RunError
from attent_tf.files import folder_written_aside
from attent_tf.methods import Stage
from attent_tf.runs.networks import trained_steps
from attent_tf.runs.run import Run


def shared_stage(run: Run, donor: Run) -> Stage:
    """Returns the stage that a run can take over from another one.

    Raises:
      ConfigError: the run's method has none.
      RunError: the donor has another one, or of other records, seed or settings.
    """
    if donor.package is not None:
        raise RunError(
            f"{donor.folder}: expected a run folder, found a package, which holds no stages; name the folder"
        )
    stage = run.method.shareable_stage
    if stage is None:
        raise ConfigError(f"--translation-from: the method {run.method.id} has no translator; leave the option out")
    if donor.method.shareable_stage != stage:
        raise RunError(
            f"{donor.folder}: expected a run whose method has the {stage.id} of {run.method.id}, found {donor.method.id}; name "
            f"another run or train the {stage.id} here"
        )
    for name, value_of in _identity(stage).items():
        wanted, found = value_of(run), value_of(donor)
        if wanted != found:
            raise RunError(
                f"{donor.folder}: expected a run with the {name} {wanted!r}, found {found!r}; name another run or train "
                f"the {stage.id} here"
            )
    return stage


def reuse_stage(run: Run, donor: Run, stage: Stage) -> None:
    """Copies a finished stage of another run: what the run would train itself in that direction, to the last bit.

    Args:
      run: a run without that stage.
      donor: a run whose stage is complete.
      stage: from `shared_stage`.

    Raises:
      RunError: the donor's stage is not complete.
    """
    done, planned = trained_steps(donor, stage.id)
    if not planned or done < planned:
        raise RunError(
            f"{donor.folder}: expected a finished {stage.id} stage, found step {done} of {planned}; finish it first"
        )
    with folder_written_aside(run.stage_folder(stage.id)) as aside:
        shutil.copytree(donor.stage_folder(stage.id), aside, dirs_exist_ok=True)


def _identity(stage):
    def section(name):
        return lambda run: config_to_dict(run.config)[name]

    return {
        "records": lambda run: run.records,
        "seed": lambda run: run.config.seed,
        "data settings": section("data"),
        f"{stage.section} settings": section(stage.section),
    }
