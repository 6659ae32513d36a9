"""Run folders: what they are about and the networks in them. Importing this loads no TensorFlow."""

from attent_tf.runs.description import describe_stage, stage_description
from attent_tf.runs.run import Run, create_or_check, load_run, resolve_steps

__all__ = ["Run", "create_or_check", "describe_stage", "load_run", "resolve_steps", "stage_description"]
