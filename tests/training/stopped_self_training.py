"""Self-training that is stopped by SIGTERM between two labellings, beside one that is not; a program of its own, since operations
that are to give the same bits are so for the whole process.

python -m tests.training.stopped_self_training RECORDS FOLDER

It leaves the undisturbed run `a`, the other `b`, and `said.json`: what was said when `b` stopped and went on, and its exit code.
"""

import json
import os
import signal
import sys
from pathlib import Path

import tensorflow as tf

from attent_tf.configs import load_config
from attent_tf.training.train import train
from tests.support.small_runs import TINY, SilentObserver
from tests.support.variables import share_kernels

_SETTINGS = (*TINY, "segmentation.steps=2", "self_training.steps=12", "self_training.labels.every=5", "panel_every=0")
_STOPPED_AFTER = 7


class _Stopping(SilentObserver):
    """Ends the program once self-training has gone past some steps, as a scheduler would."""

    def __init__(self):
        super().__init__()
        self._within, self._done = False, 0

    def stage(self, title, total, initial):
        self._within = title == "Self-training"
        return super().stage(title, total, initial)

    def advance(self, count):
        self._done += count if self._within else 0
        if self._done >= _STOPPED_AFTER:
            os.kill(os.getpid(), signal.SIGTERM)


def main(records: str, folder: str) -> None:
    """Trains both runs."""
    share_kernels()
    tf.config.experimental.enable_op_determinism()
    # Not traced, which would take longer; runs of the command are.
    tf.config.run_functions_eagerly(True)
    place, config = Path(folder), load_config("demo", _SETTINGS)
    train(records, place / "a", "source_st", "mri2ct", config, SilentObserver())
    stopping, resumed, code = _Stopping(), SilentObserver(), None
    try:
        train(records, place / "b", "source_st", "mri2ct", config, stopping)
    except SystemExit as end:
        code = end.code
    train(records, place / "b", "source_st", "mri2ct", config, resumed)
    said = {"stopped": stopping.lines, "resumed": resumed.lines, "code": code}
    (place / "said.json").write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
