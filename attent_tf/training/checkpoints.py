"""Checkpoints that are known to match, and a way back when the newest is damaged.

TensorFlow's object tracking does not see the layers that a Keras 3 model keeps in a list, and restores nothing of them without a
word. Checkpoints therefore hold plain lists of variables under names of their own (`attent_tf.runs.networks.stored`).
"""

import os
import tempfile
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from attent_tf.counting import counted
from attent_tf.errors import RunError
from attent_tf.training.image_pool import ImagePool

_KEEP = 2


class Checkpoints:
    """The checkpoints of one stage of a run.

    Args:
      folder: where they lie.
      step: [] int64 variable that counts updates.
      state: everything else that training changes, by name.
      pools: image pools by name, which hold images of each replica.
      say: called with one line for the user.
      writes: whether this process is the one that keeps checkpoints; the others take part and throw theirs away.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        step: tf.Variable,
        state: dict[str, Any],
        pools: dict[str, ImagePool],
        say: Callable[[str], None],
        writes: bool = True,
    ):
        self._shared = tf.train.Checkpoint(step=step, **state)
        self._pools = {name: pool.stored() for name, pool in pools.items()}
        self._checkpoint = tf.train.Checkpoint(step=step, **state, **self._pools)
        # What is written by processes that do not keep it must not stand in the way of the one that does.
        self._aside = None if writes else tempfile.TemporaryDirectory()
        self._manager = tf.train.CheckpointManager(
            self._checkpoint, str(folder) if writes else self._aside.name, max_to_keep=_KEEP
        )
        self._folder = str(folder)
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
        state = tf.train.get_checkpoint_state(self._folder)
        paths = list(reversed(state.all_model_checkpoint_paths)) if state else []
        for path in paths:
            try:
                self._restore(path)
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
                f"{os.path.dirname(paths[0])}: none of {counted(len(paths), 'checkpoint')} can be read; start a new run"
            )
        return False

    def _restore(self, path):
        # A mismatch raises nothing unless it is asked for.
        devices = {name: len(replicas) for name, replicas in self._pools.items()}
        stored = {name: _replicas_stored(path, name) for name in self._pools}
        if devices == stored:
            self._checkpoint.restore(path).assert_consumed()
            return
        self._shared.restore(path).expect_partial().assert_existing_objects_matched()
        self._say(
            f"{path}: written with {counted(max(stored.values()), 'device')}, "
            f"going on with {max(devices.values())}; image pools begin empty"
        )


def _replicas_stored(path, pool):
    keys = tf.train.load_checkpoint(path).get_variable_to_shape_map()
    return len({key.split("/")[1] for key in keys if key.startswith(f"{pool}/")})


def has_checkpoint(folder: str | os.PathLike) -> bool:
    """Says whether a folder holds a finished checkpoint."""
    return tf.train.latest_checkpoint(str(folder)) is not None
