"""Networks make their weights from shapes: those that a first call makes, which runs nothing twice."""

import collections
import functools
import random

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.models import DeepLabV2, DilatedResNet, FeatureCritic, MaskCritic
from attent_tf.models.imagenet import ImageNetInput
from tests.conformance.calls import outputs, tensors
from tests.conformance.catalogue import MODELS, NETWORKS, over
from tests.conformance.goldens import describe_variables

# Their last layer is shown all positions at once.
_OF_ONE_SIZE = (FeatureCritic, MaskCritic)
_BEGINS = {"moving_mean": 0.0, "moving_variance": 1.0}


@pytest.fixture
def calls(monkeypatch):
    """How often each layer was called, by its path."""
    counts = collections.Counter()

    def counting(call):
        @functools.wraps(call)
        def counted(self, *arguments, **options):
            counts[self.path] += 1
            return call(self, *arguments, **options)

        return counted

    for kind in {row.subject for row in NETWORKS}:
        monkeypatch.setattr(kind, "call", counting(kind.call))
    return counts


@over(MODELS)
def test_a_first_call_makes_from_shapes_what_it_uses(row, calls):
    random.seed(5)
    called = row.make()
    found = outputs(called, tensors(row))
    assert set(calls.values()) == {1}, calls

    random.seed(5)
    built = row.make()
    calls.clear()
    # Of the images only the channels are known, where that is enough.
    known = 1 if row.subject in _OF_ONE_SIZE else 3
    built.build(*((None,) * known + x.shape[known:] for x in row.inputs))
    assert not calls
    weights = [variable.numpy() for variable in built.variables]
    assert describe_variables(built) == describe_variables(called)
    _assert_equal(weights, called.variables)
    for variable in called.non_trainable_variables:
        assert np.all(variable.numpy() == _BEGINS.get(variable.name, variable.numpy())), variable.path

    _assert_equal(outputs(built, tensors(row)), found)
    _assert_equal(built.variables, weights)


@pytest.mark.slow
@pytest.mark.parametrize("kind", _OF_ONE_SIZE)
def test_critics_are_built_for_images_of_one_size(kind):
    with pytest.raises(ValueError, match=r"`input_shape`.*None"):
        kind(1).build((None, None, 32, 5))
    critic = kind(1)
    critic.build((None, 130, 5, 2))
    assert critic(tf.zeros((3, 130, 5, 2))).shape == (3, 1, 1, 1)


@pytest.mark.slow
def test_an_encoder_that_is_built_keeps_its_weights():
    encoder = DilatedResNet("small")
    encoder.build((None, None, None, 1))
    weights = [id(variable) for variable in encoder.variables]
    DeepLabV2(5, encoder, (1,)).build((None, None, None, 1))
    assert [id(variable) for variable in encoder.variables] == weights


@pytest.mark.parametrize("channels", [1, 3])
def test_imagenet_input_says_what_shape_it_gives(channels):
    shape = (2, 4, 6, channels)
    layer = ImageNetInput()
    assert layer.compute_output_shape(shape) == tuple(layer(tf.zeros(shape)).shape)


def _assert_equal(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
