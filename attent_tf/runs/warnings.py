"""What a run has to say against itself, for evaluations, exports and reports. No TensorFlow, no labels of the target."""

from attent_tf.runs.description import stage_description
from attent_tf.runs.run import Run
from attent_tf.runs.translation_check import read_warning


def run_warnings(run: Run) -> list[str]:
    """Returns a line for a translation that has likely failed, and one for each stage that was refused.

    Raises:
      RunError: the check of the translation, or what a stage says of itself, was damaged.
    """
    if run.package is not None:
        return run.package.warnings
    refused = (stage_description(run.folder, stage.id).refused for stage in run.method.stages)
    return [line for line in (read_warning(run.folder), *refused) if line]
