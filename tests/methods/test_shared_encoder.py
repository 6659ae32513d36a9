"""Networks of a stage that have one encoder: made, trained, stored and loaded."""

import contextlib

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.errors import ConfigError
from attent_tf.export.package import write_package
from attent_tf.methods import CLASSIFIER, METHODS, SEGMENTOR, Part, registry
from attent_tf.runs import load_run
from attent_tf.runs.networks import load_parts
from attent_tf.training.steps.step import make_step
from attent_tf.training.train import train
from tests.methods.tiny import tiny_config
from tests.support.abdomen import ABDOMEN
from tests.support.inner_steps import random_batch, small_config
from tests.support.shared_encoder import two_segmentors
from tests.support.small_runs import SilentObserver


class _Interrupting(SilentObserver):
    """Stops the program at a step, as Ctrl-C would."""

    def __init__(self, step):
        super().__init__()
        self._left = step

    def advance(self, count):
        self._left -= count
        if self._left < 0:
            raise KeyboardInterrupt


def _values(network):
    return [np.array(variable.value) for variable in network.variables]


def _assert_equal(found, expected):
    for have, want in zip(_values(found), _values(expected), strict=True):
        np.testing.assert_array_equal(have, want)


@pytest.mark.slow
@pytest.mark.eager
def test_both_train_one_encoder():
    method = two_segmentors()
    inner = make_step(method.stages[0], small_config(), ABDOMEN, "mri2ct", steps=3)
    first, second = inner.networks.values()
    assert first.encoder is second.encoder
    shared = {id(variable) for variable in first.encoder.trainable_variables}
    updated = [id(variable) for variable in inner.segmentor_update.variables_updated]
    assert len(set(updated)) == len(updated)
    assert shared < set(updated)
    before = [_values(part) for part in (first.encoder, first.main_head, second.main_head)]
    assert any(np.any(a != b) for a, b in zip(*before[1:], strict=True))
    batch = random_batch(method.stages[0])
    inner.update("supervised", tf.constant(0, tf.int64), *tf.nest.map_structure(tf.constant, batch))
    for was, part in zip(before, (first.encoder, first.main_head, second.main_head), strict=True):
        assert any(np.any(have != had) for have, had in zip(_values(part), was, strict=True))


@pytest.mark.slow
@pytest.mark.eager
def test_a_run_is_resumed_loaded_and_packaged_with_it(small_records, tmp_path, monkeypatch):
    method = two_segmentors()
    monkeypatch.setattr(registry, "METHODS", {**METHODS, method.id: method})
    config = tiny_config(method)
    run = train(small_records, tmp_path / "run", method.id, "mri2ct", config, SilentObserver())
    with contextlib.suppress(KeyboardInterrupt):
        train(small_records, tmp_path / "again", method.id, "mri2ct", config, _Interrupting(2))
    again = train(small_records, tmp_path / "again", method.id, "mri2ct", config, SilentObserver())
    # Whichever is asked for first.
    second, first = load_parts(run, CLASSIFIER, SEGMENTOR)
    assert first.encoder is second.encoder
    write_package(run, tmp_path / "model.attent")
    for loaded in (load_run(tmp_path / "again"), load_run(tmp_path / "model.attent"), again):
        networks = load_parts(loaded, SEGMENTOR, CLASSIFIER)
        assert networks[0].encoder is networks[1].encoder
        _assert_equal(networks[0], first)
        _assert_equal(networks[1], second)
    # Alone, each has what it needs.
    for role, network in ((SEGMENTOR, first), (CLASSIFIER, second)):
        (alone,) = load_parts(run, role)
        _assert_equal(alone, network)


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        (
            (Part(CLASSIFIER, "m:f", encoder_of=SEGMENTOR), Part(SEGMENTOR, "m:f")),
            "'classifier' is to have the encoder of 'segmentor', which is no part before it",
        ),
        (
            (Part(SEGMENTOR, "m:f", frozen=True), Part(CLASSIFIER, "m:f", encoder_of=SEGMENTOR)),
            "'classifier' is to have the encoder of 'segmentor', and gradients are to change one of the two alone",
        ),
    ],
)
def test_encoders_that_cannot_be_shared_are_refused(parts, told):
    with pytest.raises(ConfigError, match=f"stage segmentation: {told}"):
        two_segmentors(*parts)
