"""Alignment that costs S structures of the target is noticed without labels, taken back and stopped."""

import contextlib

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import load_config
from attent_tf.runs import load_run, stage_description
from attent_tf.runs.networks import stored
from attent_tf.runs.warnings import run_warnings
from attent_tf.training import alignment_watch
from attent_tf.training.alignment_watch import AlignmentWatch
from attent_tf.training.train import train
from tests.support.inner_steps import make_inner, small_config
from tests.support.small_runs import TINY, InterruptingObserver, SilentObserver

pytestmark = pytest.mark.slow

SETTINGS = (*TINY, "segmentation.steps=8", "segmentation.aligner_watch_every=2", "panel_every=0")
# What is found at each step: the third look is beyond the tolerance of 0.2.
DISTANCES = {2: 0.5, 4: 0.6, 6: 0.71}


def _weights(inner):
    return [variable.numpy() for variable in stored(inner.segmentor) if variable.dtype.is_floating]


def _equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _background_only(inner):
    """Weights with which S finds background everywhere."""
    for variable in inner.segmentor.main_head.trainable_variables:
        variable.assign(tf.zeros_like(variable))
    biases = [variable for variable in inner.segmentor.main_head.trainable_variables if variable.name == "bias"]
    biases[0].assign(tf.one_hot(0, biases[0].shape[0]))


def _watched(on="entropy", warmup=4, every=2):
    config = small_config(segmentation={"aligner_warmup_steps": warmup, "aligner_watch_every": every})
    return make_inner(on, "segmentation", config)


def _watch(inner, monkeypatch, distances):
    """A watch of S whose looks find these distances."""
    told = iter(distances)
    monkeypatch.setattr(alignment_watch, "share_distance", lambda *_: next(told))
    monkeypatch.setattr(alignment_watch, "describe_stage", lambda *_, **facts: said.append(facts["refused"]))
    said = []
    run = type("Run", (), {"task": inner.context.task})
    images, labels = np.zeros((3, 32, 32, 1), np.float32), np.ones((3, 32, 32), np.uint8)
    stage = inner.context.stage
    return AlignmentWatch(run, stage, inner, images, labels, inner.strategy, SilentObserver()), said


@pytest.mark.slow
def test_looks_begin_with_the_end_of_the_warm_up():
    inner = _watched(warmup=5, every=3)
    watch = AlignmentWatch.__new__(AlignmentWatch)
    watch._inner = inner
    assert [watch.next_time(at) for at in (0, 4, 5, 7, 8)] == [5, 5, 8, 8, 11]


@pytest.mark.slow
def test_the_weights_of_the_last_good_look_come_back(monkeypatch):
    inner = _watched()
    watch, said = _watch(inner, monkeypatch, (0.5, 0.7, 0.71))
    assert inner.phase(3) == ("supervised", 4)
    watch.begin(4)
    inner.segmentor.variables[0].assign_add(tf.ones_like(inner.segmentor.variables[0]))
    watch.begin(6)
    good = _weights(inner)
    _background_only(inner)
    watch.begin(7)
    assert not inner.watched.stopped
    assert inner.phase(7) == ("aligned", None)
    watch.begin(8)
    assert _equal(_weights(inner), good)
    assert inner.phase(8) == ("supervised", None)
    assert said == [
        "Stage 2: segmentation: alignment was stopped at step 8, because S loses structures of the target (mean |ln share / "
        "share in source labels| 0.71, limit 0.70); S is what it was at step 6, and learns from labels alone from there on"
    ]
    # Nobody looks any more: another distance would end the iterator.
    watch.begin(10)
    watch.finish(12)


@pytest.mark.slow
def test_a_stage_that_ends_without_structures_keeps_what_it_had(monkeypatch):
    inner = _watched()
    watch, said = _watch(inner, monkeypatch, (0.5, 3.0))
    watch.begin(4)
    good = _weights(inner)
    _background_only(inner)
    watch.finish(5)
    assert _equal(_weights(inner), good)
    (line,) = said
    assert line.endswith("limit 0.70); S is what it was at step 4")


@pytest.mark.slow
def test_a_segmentor_that_gives_up_all_structures_is_far_from_the_source(monkeypatch):
    inner = _watched()
    _background_only(inner)
    watch, _ = _watch(inner, monkeypatch, ())
    monkeypatch.undo()
    # A thousandth of what the labels hold is the least that counts.
    assert watch._shares().tolist() == [0, 0, 0, 0]
    assert alignment_watch.share_distance(watch._shares(), watch._source) == pytest.approx(np.log(1000))


@pytest.mark.slow
def test_nobody_looks_where_it_is_not_wanted():
    inner = make_inner("entropy", "segmentation", small_config())
    assert inner.watched is None
    assert inner.state().keys() == {
        "segmentor",
        "judge_main",
        "judge_aux",
        "segmentor_optimizer",
        "judge_main_optimizer",
        "judge_aux_optimizer",
    }


@contextlib.contextmanager
def _finding(distances):
    """Lets the look at each step find its distance, whichever steps a run begins with."""
    look = AlignmentWatch._look

    def look_and_find(self, position, **when):
        patch.setattr(alignment_watch, "share_distance", lambda *_: distances.get(position, 0.0))
        look(self, position, **when)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AlignmentWatch, "_look", look_and_find)
        yield


def _train(records, folder, observer=None):
    with _finding(DISTANCES):
        train(records, folder, "entropy", "mri2ct", load_config("demo", SETTINGS), observer or SilentObserver())
    return folder


@pytest.fixture(scope="module")
def whole(records, tmp_path_factory):
    return _train(records, tmp_path_factory.mktemp("whole") / "run")


@pytest.mark.eager
@pytest.mark.parametrize("stopped_after", [3, 6, 7])
def test_a_run_that_goes_on_ends_as_an_undisturbed_one(whole, records, tmp_path, stopped_after):
    halted = tmp_path / "halted"
    with pytest.raises(KeyboardInterrupt):
        _train(records, halted, InterruptingObserver(stopped_after))
    _train(records, halted)
    expected, found = _stored(whole), _stored(halted)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-6, err_msg=name)
    for folder in (whole, halted):
        told = stage_description(folder, "segmentation").refused
        assert "alignment was stopped at step 6" in told
        assert "S is what it was at step 4, and learns from labels alone" in told
        assert told in run_warnings(load_run(folder))


@pytest.mark.eager
def test_looking_changes_nothing(records, tmp_path, monkeypatch):
    monkeypatch.setattr(alignment_watch, "share_distance", lambda *_: 0.5)
    for name, every in (("watched", 2), ("unwatched", 0)):
        config = load_config("demo", (*SETTINGS, f"segmentation.aligner_watch_every={every}"))
        train(records, tmp_path / name, "entropy", "mri2ct", config, SilentObserver())
        assert not stage_description(tmp_path / name, "segmentation").refused
    watched, unwatched = (_stored(tmp_path / name) for name in ("watched", "unwatched"))
    assert unwatched.keys() == {name for name in watched if name.startswith("segmentor/")}
    for name, values in unwatched.items():
        np.testing.assert_allclose(watched[name], values, rtol=1e-5, atol=1e-6, err_msg=name)


def _stored(folder):
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(folder / "segmentation" / "checkpoints")))
    keys = [key for key in reader.get_variable_to_shape_map() if key.startswith(("segmentor/", "watched/"))]
    return {key: reader.get_tensor(key) for key in keys}
