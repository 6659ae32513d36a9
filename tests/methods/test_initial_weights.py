"""What the networks of every method begin as."""

import dataclasses

import keras
import numpy as np
import pytest

from attent_tf.methods import METHODS, get_method
from attent_tf.tasks import load_task
from attent_tf.training.steps.step import make_step
from tests.methods.tiny import tiny_config

pytestmark = pytest.mark.slow


def _stages():
    """`method/stage` -> both, until every network was made once."""
    seen, chosen = set(), {}
    for method in METHODS.values():
        for stage in method.stages:
            networks = {part.network for part in stage.parts}
            if networks - seen:
                chosen[f"{method.id}/{stage.id}"] = (method, stage)
                seen |= networks
    return chosen


def _kernels(name, **changes):
    """Kernels by path, of the networks that are drawn from the seed."""
    method, stage = _stages()[name]
    config = dataclasses.replace(tiny_config(method), **changes)
    networks = make_step(stage, config, load_task(), "mri2ct").networks.values()
    kernels = [variable for network in networks for variable in network.variables if variable.name == "kernel"]
    assert len({kernel.path for kernel in kernels}) == len(kernels)
    return {kernel.path: kernel.numpy() for kernel in kernels}


@pytest.mark.parametrize("name", _stages())
def test_no_two_kernels_begin_alike(name):
    first_of = {}
    for path, kernel in _kernels(name).items():
        assert kernel.any(), path
        key = kernel.shape, kernel.tobytes()
        assert key not in first_of, f"{path} begins as {first_of[key]} does"
        first_of[key] = path


def test_kernels_follow_from_the_seed_alone():
    name = next(iter(_stages()))
    kernels = []
    for seed, stream in ((1, 0), (1, 5), (2, 0)):
        # What was drawn before does not matter.
        keras.utils.set_random_seed(stream)
        kernels.append(_kernels(name, seed=seed))
    one, again, other = kernels
    for path, kernel in one.items():
        np.testing.assert_array_equal(again[path], kernel)
        assert not np.array_equal(other[path], kernel), path


def test_kernels_are_as_large_as_their_initializer_says():
    config = tiny_config(get_method("attent"))
    stage = get_method("attent").stages[0]
    kernel = make_step(stage, config, load_task(), "mri2ct").networks["judge_source"].convs[3].kernel
    assert kernel.numpy().std() == pytest.approx(0.02, rel=0.1)
    assert abs(kernel.numpy().mean()) < 0.002
