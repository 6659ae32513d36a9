"""A run of each method, trained once for all workers."""

import contextlib
from pathlib import Path

import pytest

from attent_tf.methods import METHODS, get_method
from tests.methods.tiny import STEPS, first_of_their_kind, is_interrupted, tiny_config
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


def _train(records, folder: Path, method, donor: Path | None) -> None:
    """Trains a run, a stage of each kind of step traced, as all are for a user."""
    from attent_tf.training.train import train

    config, traced = tiny_config(method), first_of_their_kind().get(method.id, set())
    more = {} if donor is None else {"translation_from": donor}
    if is_interrupted(method):
        # Traced where it goes on; in between no bit may depend on that.
        last = method.stages[-1].name
        with contextlib.suppress(KeyboardInterrupt):
            train(records, folder / "run", method.id, "mri2ct", config, _Watching(traced - {last}, last), **more)
        more = {}
    observer = _Watching(traced)
    train(records, folder / "run", method.id, "mri2ct", config, observer, **more)
    (folder / "said.txt").write_text("\n".join(observer.lines), encoding="utf-8")


@pytest.fixture(scope="session")
def run_of(made_once, small_records):
    """Gives the folder with a method's finished `run` and with `said.txt`, what was said of the rest of it."""

    def folder_of(method_id: str) -> Path:
        method = get_method(method_id)
        stage = method.shareable_stage
        donor = next(one.id for one in METHODS.values() if one.shareable_stage == stage) if stage else method_id

        def make(folder):
            _train(small_records, folder, method, None if donor == method_id else folder_of(donor) / "run")

        return made_once.folder(f"methods/{method_id}", make)

    return folder_of
