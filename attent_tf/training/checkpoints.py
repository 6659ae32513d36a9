"""Checkpoints that are known to match, and a way back when the newest is damaged.

TensorFlow's object tracking does not see the layers that a Keras 3 model keeps in a list, and restores nothing of them without a
word. Checkpoints therefore hold plain lists of variables under names of their own (`attent_tf.runs.networks.stored`).
"""

import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from attent_tf.errors import RunError

_KEEP = 2


class Checkpoints:
    """The checkpoints of one stage of a run.

    Args:
      folder: where they lie.
      step: [] int64 variable that counts updates.
      state: everything else that training changes, by name.
      say: called with one line for the user.
    """

    def __init__(self, folder: str | os.PathLike, step: tf.Variable, state: dict[str, Any], say: Callable[[str], None]):
        self._checkpoint = tf.train.Checkpoint(step=step, **state)
        self._manager = tf.train.CheckpointManager(self._checkpoint, str(folder), max_to_keep=_KEEP)
        self._step = step
        self._say = say

    def save(self) -> None:
        """Writes a checkpoint of the present step.

        Raises:
          RunError: it cannot be written, for example because the disk is full; the ones before it are kept.
        """
        step = int(self._step.numpy())
        try:
            self._manager.save(checkpoint_number=step)
        except (OSError, tf.errors.OpError) as error:
            reason = " ".join(str(getattr(error, "message", None) or error).split())
            newest = self._manager.latest_checkpoint
            kept = f"{os.path.basename(newest)} is kept" if newest else "none was written before"
            raise RunError(
                f"{self._manager.directory}: expected room for a checkpoint of step {step}, writing failed ({reason}); {kept}, "
                "make room and give the command again"
            ) from error

    def restore(self) -> bool:
        """Loads the newest checkpoint that can be read.

        Returns:
          False where there is none.

        Raises:
          RunError: checkpoints are there and none of them can be read, or they are of another model.
        """
        paths = list(reversed(self._manager.checkpoints))
        for path in paths:
            try:
                # A mismatch raises nothing unless it is asked for.
                self._checkpoint.restore(path).assert_consumed()
            except (IndexError, tf.errors.OpError) as error:
                self._say(f"{path}: damaged checkpoint ({type(error).__name__}); trying the one before")
                continue
            except AssertionError as error:
                raise RunError(
                    f"{path}: checkpoint of another model; use the configuration and method that the run was started with"
                ) from error
            return True
        if paths:
            raise RunError(
                f"{os.path.dirname(paths[0])}: none of {len(paths)} checkpoints can be read; start a new run"
            )
        return False


def has_checkpoint(folder: str | os.PathLike) -> bool:
    """Says whether a folder holds a finished checkpoint."""
    return tf.train.latest_checkpoint(str(folder)) is not None
