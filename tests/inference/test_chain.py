"""How several paths of a slice become one answer, against hand-made probabilities."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.export.saved_model import export_chain
from attent_tf.inference.chain import Chain, Route, load_chain
from tests.support.untrained_runs import write_untrained_run

SIZE = 8
# Of background, liver and spleen; the second path misses the spleen on the left, the first one the liver on the right.
LEFT = {"first": (0.3, 0.1, 0.6), "second": (0.9, 0.05, 0.05)}
RIGHT = {"first": (0.6, 0.3, 0.1), "second": (0.1, 0.8, 0.1)}


class Sure:
    """A segmentor of two halves, whatever it is shown."""

    def __init__(self, name):
        halves = np.empty((1, SIZE, SIZE, 3), np.float32)
        halves[:, :, : SIZE // 2], halves[:, :, SIZE // 2 :] = LEFT[name], RIGHT[name]
        self._logits = tf.math.log(halves)

    def __call__(self, images, training):
        assert not training
        return SimpleNamespace(main=tf.tile(self._logits, (images.shape[0], 1, 1, 1)))


def _answer(rule, *routes):
    images = tf.zeros((2, SIZE, SIZE, 1))
    found = Chain(routes, SIZE, rule)(images)
    again = Chain(routes, SIZE, rule).at_network_size()(images)
    np.testing.assert_array_equal(again.probabilities, found.probabilities)
    return found.probabilities[1, 0, 0].numpy(), found.probabilities[1, 0, -1].numpy(), found.labels[1, 0].numpy()


def test_the_mean_is_weighted():
    left, right, labels = _answer("mean", Route(Sure("first")), Route(Sure("second"), weight=3.0))
    assert left == pytest.approx([0.75, 0.0625, 0.1875])
    assert right == pytest.approx([0.225, 0.675, 0.1])
    assert labels.tolist() == [0] * 4 + [1] * 4


@pytest.mark.parametrize("order", [("first", "second"), ("second", "first")])
def test_foreground_takes_the_path_that_gives_the_background_least_whatever_it_weighs(order):
    routes = (Route(Sure(name), weight=weight) for name, weight in zip(order, (1.0, 3.0), strict=True))
    left, right, labels = _answer("foreground", *routes)
    assert left == pytest.approx(LEFT["first"])
    assert right == pytest.approx(RIGHT["second"])
    assert labels.tolist() == [2] * 4 + [1] * 4


def test_of_one_path_both_rules_say_what_it_says():
    for rule in ("mean", "foreground"):
        left, _, _ = _answer(rule, Route(Sure("first")))
        assert left == pytest.approx(LEFT["first"])


@pytest.mark.slow
@pytest.mark.parametrize("weights", [None, "float32"])
def test_a_run_and_its_exported_model_follow_the_rule_of_its_configuration(weights, tmp_path):
    run = write_untrained_run(tmp_path / "run", "attent_both", settings=["paths=foreground"])
    chain, size = load_chain(run), run.prepare_options.size
    images = tf.constant(np.random.default_rng(0).uniform(-1, 1, (2, size, size, 1)).astype(np.float32))
    one, other = (Chain([route], chain.image_size)(images).probabilities.numpy() for route in chain.routes)
    surer = other[..., :1] < one[..., :1]
    assert 0 < surer.mean() < 1
    expected = np.where(surer, other, one)
    np.testing.assert_allclose(chain(images).probabilities, expected, atol=1e-6)
    model = tf.saved_model.load(str(export_chain(run, tmp_path / "model", weights=weights).folder))
    found = model.signatures["serving_default"](image=images)["probabilities"].numpy()
    # Where both give the background nearly as much, rounding may choose.
    close = np.abs(one[..., 0] - other[..., 0]) < 1e-4
    np.testing.assert_allclose(found[~close], expected[~close], atol=1e-4)
