"""What the inner step of every stage of every method does; a method that is added to the catalogue inherits these tests."""

import json
import math
import random

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import Config, config_to_dict
from attent_tf.configs.load import leaves
from attent_tf.methods import part_name
from attent_tf.tasks import load_task
from attent_tf.training.checkpoints import Checkpoints
from attent_tf.training.steps.step import make_step
from tests.methods.tiny import STEPS, kinds_of_stages, kinds_of_steps, tiny_config, view_options
from tests.support.inner_steps import first_of_each_phase, random_batch
from tests.support.programs import run_program

# Read by the outer loop.
_OF_ANY_STAGE = {"steps", "epochs", "batch_size", "augmentation"}
over_stages = pytest.mark.parametrize("name", kinds_of_stages())


@over_stages
def test_keys_that_a_stage_does_not_read_are_of_sections_that_it_reads(name):
    _, stage = kinds_of_stages()[name]
    known = {key for key, _ in leaves(config_to_dict(Config()))}
    for key in stage.unused:
        assert any(key.startswith(f"{section}.") for section in (stage.section, *stage.reads)), key
        assert any(name == key or name.startswith(f"{key}.") for name in known), key


class _Watched:
    """A section of a configuration that remembers which of its keys were read."""

    def __init__(self, section):
        self._section = section
        self.read = set()

    def __getattr__(self, key):
        self.read.add(key)
        return getattr(self._section, key)


class _Sections:
    """A configuration with one section in another's place."""

    def __init__(self, config, name, section):
        self._config = config
        setattr(self, name, section)

    def __getattr__(self, key):
        return getattr(self._config, key)


def _as_tensors(batch):
    return tf.nest.map_structure(tf.constant, batch)


def _update(inner, at, phase, batch):
    metrics = inner.update(phase, tf.constant(at, tf.int64), *batch)
    assert set(inner.metric_names) <= set(metrics)
    assert all(math.isfinite(float(metrics[key])) for key in inner.metric_names)


def _checkpoints(folder, step, inner):
    return Checkpoints(folder, step, inner.state(), inner.image_pools, print)


@pytest.mark.slow
@over_stages
def test_a_step_trains_goes_on_as_if_undisturbed_and_reads_the_keys_that_it_should(name, tmp_path):
    """In the direction that the whole runs do not take."""
    method, stage = kinds_of_stages()[name]
    config = tiny_config(method)
    section = _Watched(getattr(config, stage.section))
    random.seed(0)
    inner = make_step(stage, _Sections(config, stage.section, section), load_task(), "ct2mri")
    inner.begin()
    batch = _as_tensors(random_batch(stage, 2, config.data.image_size))
    phases = first_of_each_phase(inner, STEPS)
    for at, phase in phases:
        _update(inner, at, phase, batch)

    networks = {part_name(part.role, "ct", "mri") for part in stage.parts}
    optimizers = {f"{update}_optimizer" for update in inner.weight_updates}
    assert networks | optimizers <= set(inner.state())
    options = {key.rpartition(".")[2] for key in view_options(stage)}
    unused = {key.split(".")[1] for key in stage.unused}
    assert vars(section._section).keys() - section.read - options - _OF_ANY_STAGE <= unused

    _checkpoints(tmp_path, tf.Variable(STEPS, dtype=tf.int64), inner).save()
    _update(inner, *phases[-1], batch)
    undisturbed = {key: [variable.numpy() for variable in variables] for key, variables in inner.state().items()}
    if name in kinds_of_steps():
        random.seed(1)
        again = make_step(stage, config, load_task(), "ct2mri")
    else:
        # Of a kind that was made anew already; it brings back what it kept all the same.
        again = inner
        for variable in (variable for variables in again.state().values() for variable in variables):
            variable.assign(tf.zeros_like(variable))
    assert _checkpoints(tmp_path, tf.Variable(0, dtype=tf.int64), again).restore()
    _update(again, *phases[-1], batch)
    for key, variables in again.state().items():
        for mine, theirs in zip(undisturbed[key], variables, strict=True):
            np.testing.assert_allclose(theirs.numpy(), mine, rtol=1e-5, atol=1e-6, err_msg=key)


@pytest.fixture(scope="module")
def replicas(tmp_path_factory):
    """What `replicas.py` wrote, by kind of step."""
    out = tmp_path_factory.mktemp("replicas") / "results.json"
    run_program("tests.methods.replicas", out)
    return json.loads(out.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", kinds_of_steps())
def test_two_replicas_train_like_one(kind, replicas):
    assert isinstance(replicas[kind], list), replicas[kind]
    alone, together = replicas[kind]
    assert alone["times_made"] == together["times_made"]
    assert all(together["times_made"].values()), "an update was never its turn"
    np.testing.assert_allclose(together["weights"], alone["weights"], rtol=2e-4, atol=1e-4)
    assert together["metrics"] == pytest.approx(alone["metrics"], rel=1e-3, abs=1e-4)
