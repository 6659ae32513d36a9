"""A run of each method, trained once for all workers."""

import contextlib
import dataclasses
import shutil
from pathlib import Path

import pytest

from attent_tf.methods import get_method
from attent_tf.runs import create_or_check, load_run
from tests.methods.tiny import STEPS, begins_like, is_interrupted, tiny_config, traced_stages
from tests.support.small_runs import SilentObserver


class _Watching(SilentObserver):
    """Lets stages of some names be traced and all others not, and stops the program halfway through one, as Ctrl-C would."""

    def __init__(self, traced, stopped=""):
        super().__init__()
        self._traced, self._stopped = traced, stopped
        self._within, self._left = False, STEPS // 2

    def stage(self, title, total, initial):
        import tensorflow as tf

        self._within = title == self._stopped
        tf.config.run_functions_eagerly(title not in self._traced)
        return super().stage(title, total, initial)

    def advance(self, count):
        self._left -= count if self._within else 0
        if self._left < 0:
            raise KeyboardInterrupt


def _train(records, folder: Path, method, begun: Path | None, count: int) -> None:
    """Trains a run, a stage of each kind of step traced, as all are for a user; its first `count` stages are those of `begun`."""
    from attent_tf.training.train import train

    config, traced = tiny_config(method), traced_stages(method)
    if count:
        donor = load_run(begun)
        create_or_check(dataclasses.replace(donor, folder=folder / "run", method=method, config=config), ())
    for stage in method.stages[:count]:
        shutil.copytree(begun / stage.id, folder / "run" / stage.id)
    # One after the other: what is complete need not be made again to be passed over.
    wanted = [stage.id for stage in method.stages[count:]] if count else ["all"]
    if is_interrupted(method):
        # Traced where it goes on; in between no bit may depend on that.
        last = method.stages[-1].name
        for stage in wanted:
            with contextlib.suppress(KeyboardInterrupt):
                train(
                    records, folder / "run", method.id, "mri2ct", config, _Watching(traced - {last}, last), stage=stage
                )
    observer = _Watching(traced)
    for stage in wanted or ["all"]:
        train(records, folder / "run", method.id, "mri2ct", config, observer, stage=stage)
    (folder / "said.txt").write_text("\n".join(observer.lines), encoding="utf-8")


@pytest.fixture(scope="session")
def run_of(made_once, small_records):
    """Gives the folder with a method's finished `run` and with `said.txt`, what was said of the rest of it."""

    def folder_of(method_id: str) -> Path:
        method = get_method(method_id)
        other, count = begins_like(method)

        def make(folder):
            _train(small_records, folder, method, folder_of(other) / "run" if count else None, count)

        return made_once.folder(f"methods/{method_id}", make)

    return folder_of
