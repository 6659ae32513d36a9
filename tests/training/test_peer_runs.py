"""Whole runs of methods whose last stage begins with what an earlier one has learned."""

import numpy as np
import pytest

from attent_tf.configs import load_config
from attent_tf.inference.chain import load_chain
from attent_tf.methods import SEGMENTOR
from attent_tf.runs.networks import load_parts, restore_networks
from attent_tf.training.train import train
from tests.support.small_runs import TINY, SilentObserver

pytestmark = [pytest.mark.slow, pytest.mark.eager]

_QUICK = ("panel_every=0", "checkpoint_every=6", "log_every=6")


def _trained(records, folder, method, *settings):
    run = train(records, folder, method, "mri2ct", load_config("demo", [*TINY, *_QUICK, *settings]), SilentObserver())
    (before,) = load_parts(run, SEGMENTOR)
    restore_networks(run, "segmentation", {before.name: before})
    (deployed,) = load_chain(run).networks
    return before, deployed


def _same(a, b):
    return [np.array_equal(x.numpy(), y.numpy()) for x, y in zip(a, b, strict=True)]


def test_pnp_adanet_deploys_early_layers_of_its_own_below_those_of_the_source(records, tmp_path):
    before, deployed = _trained(records, tmp_path, "pnp_adanet")
    for layer, deployed_layer in zip(before.upper_layers, deployed.upper_layers, strict=True):
        assert all(_same(layer.variables, deployed_layer.variables))
    assert not all(_same(before.resnet.stem.variables, deployed.resnet.stem.variables))
    assert not any(
        _same(before.resnet.stem_norm.non_trainable_variables, deployed.resnet.stem_norm.non_trainable_variables)
    )


def test_cycada_adapts_the_segmentor_that_it_has(records, tmp_path):
    settings = ("cycada.steps=1", "cycada.gate_accuracy=0.99", "translation.steps=2", "segmentation.steps=2")
    before, deployed = _trained(records, tmp_path, "cycada", *settings)
    # One judgement of a fresh discriminator opens no gate.
    assert all(_same(before.variables, deployed.variables))
