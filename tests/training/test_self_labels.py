"""Runs that label their own target slices: what is kept, and what becomes of a run whose labels are not to be trusted."""

import dataclasses
import shutil

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import load_config
from attent_tf.errors import RunError
from attent_tf.runs import load_run, stage_description
from attent_tf.runs.networks import check_complete
from attent_tf.runs.warnings import run_warnings
from attent_tf.training import self_labels
from attent_tf.training.train import train
from tests.support.small_runs import TINY, SilentObserver

pytestmark = [pytest.mark.slow, pytest.mark.eager]
SETTINGS = (*TINY, "segmentation.steps=2", "self_training.steps=4", "self_training.labels.every=2")


@pytest.fixture(scope="module")
def trained(records, tmp_path_factory):
    """A run whose self-training has not begun, and another one of it that was trained to its end."""
    first, whole = (tmp_path_factory.mktemp("runs") / name for name in ("first", "whole"))
    _train(records, first, stage="segmentation")
    shutil.copytree(first, whole)
    return first, whole, _train(records, whole)


def _train(records, folder, stage="all"):
    observer = SilentObserver()
    train(records, folder, "source_st", "mri2ct", load_config("demo", SETTINGS), observer, stage)
    return observer.lines


def _stored(folder, stage, network):
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(folder / stage / "checkpoints")))
    keys = sorted(key for key in reader.get_variable_to_shape_map() if key.startswith(f"{network}/"))
    return [reader.get_tensor(key) for key in keys]


def _same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_labels_and_what_is_to_be_known_of_them_are_kept_at_each_time(trained):
    _, folder, lines = trained
    assert sorted(path.name for path in (folder / "self_training").glob("labels-*")) == ["labels-0.npz", "labels-2.npz"]
    facts = stage_description(folder, "self_training").labels
    assert list(facts) == ["0", "2"]
    assert facts["0"]["chosen"] == facts["0"]["volumes"] == 2
    assert len(facts["0"]["agreement"]) == 2
    assert sum(facts["0"]["source_organ_shares"].values()) == pytest.approx(1, abs=1e-3)
    assert facts["0"]["thresholds"]["background"] == 0.9
    assert [line for line in lines if "step 2, 2 of 2 target volumes labelled" in line]
    assert run_warnings(load_run(folder)) == []
    assert not _same(_stored(folder, "self_training", "teacher"), _stored(folder, "self_training", "segmentor"))


def test_labels_that_are_gone_are_missed(trained, records, tmp_path):
    _, whole, _ = trained
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    (folder / "self_training" / "labels-2.npz").write_bytes(b"no labels")
    run, observer = load_run(folder), SilentObserver()
    labels = self_labels.SelfLabels(
        run,
        run.method.stages[-1],
        None,
        np.zeros((4, 2, 2, 1)),
        [4],
        None,
        run.config.self_training.labels,
        None,
        observer,
        None,
    )
    with pytest.raises(RunError, match=r"labels-2\.npz: expected the labels that the stage had from step 2 on"):
        labels.begin(3)


@pytest.mark.parametrize("at", [0, 2])
def test_a_stage_that_is_refused_ends_with_the_weights_that_it_began_with(at, trained, records, tmp_path, monkeypatch):
    first, _, _ = trained
    folder = tmp_path / "run"
    shutil.copytree(first, folder)
    make = self_labels.make_pseudo_labels

    def make_and_refuse_later(*args, first):
        labels = make(*args, first)
        return (
            labels if first and at else dataclasses.replace(labels, refusal="0 of 2 target volumes could be labelled")
        )

    monkeypatch.setattr(self_labels, "make_pseudo_labels", make_and_refuse_later)
    lines = _train(records, folder)
    said = (
        f"Self-training was refused at step {at}: 0 of 2 target volumes could be labelled; "
        "the weights that it began with are kept."
    )
    assert f"Warning: {said}" in lines
    run = load_run(folder)
    assert run_warnings(run) == [said]
    check_complete(run, "self_training")
    began = _stored(folder, "segmentation", "segmentor")
    assert _same(began, _stored(folder, "self_training", "segmentor"))
    assert _same(began, _stored(folder, "self_training", "teacher"))
    rows = (folder / "self_training" / "history.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", *(["2"] if at else [])]
    assert "Self-training: complete (4 steps)" in _train(records, folder)


def test_slices_of_volumes_that_are_left_out_are_not_shown():
    images = np.arange(10, dtype=np.float32).reshape(10, 1, 1, 1)
    codes = np.arange(5, dtype=np.uint8).reshape(5, 1, 1)
    labels = self_labels.SelfLabels(
        None, None, None, images, [2, 1, 2], None, load_config("demo").self_training.labels, *[None] * 3
    )
    found = labels._chosen(codes, np.array([True, False, True]))
    np.testing.assert_array_equal(found.images.ravel(), [0, 1, 3, 4, 5, 6, 8, 9])
    np.testing.assert_array_equal(found.labels.ravel(), [0, 1, 3, 4] * 2)
    whole = labels._chosen(codes, np.array([True, True, True]))
    assert whole.images is images
    np.testing.assert_array_equal(whole.labels.ravel(), [0, 1, 2, 3, 4] * 2)
