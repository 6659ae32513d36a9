"""The peers in plain PyTorch, which benchmarks compare with: they are the same networks, losses and updates as ours."""

import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.inference.chain import Chain, Route
from attent_tf.methods import JUDGE_AUX, JUDGE_MAIN, JUDGE_SOURCE, JUDGE_TARGET, SEGMENTOR, TO_SOURCE, TO_TARGET
from attent_tf.models import DeepLabV2
from tests.support.inner_steps import make_inner, random_batch, small_config

# Of a PyTorch for GPUs on a machine without.
pytestmark = pytest.mark.filterwarnings("ignore:CUDA initialization:UserWarning")

_UPDATES = 4


@pytest.fixture
def peers(monkeypatch):
    """Lets the scripts be imported as they import each other; returns PyTorch."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks" / "peers"))
    # PyTorch does without it on processors, and it crashes in a process that has TensorFlow.
    monkeypatch.setitem(sys.modules, "triton", None)
    return pytest.importorskip("torch", reason="needs PyTorch (pip install torch)")


def _take_weights(torch, peer, ours):
    parameters, weights = list(peer.parameters()), ours.trainable_variables
    with torch.no_grad():
        for parameter, weight in zip(parameters, weights, strict=True):
            values = weight.numpy()
            values = values.transpose(3, 2, 0, 1) if values.ndim == 4 else values
            assert parameter.shape == values.shape, weight.path
            parameter.copy_(torch.from_numpy(values.copy()))


def _turned(torch, images):
    """[batch, height, width, channels] to [batch, channels, height, width]."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def _assert_alike(ours, theirs):
    """Losses of updates that differ from each other by far more than from the peer's."""
    assert np.ptp(ours) > 0.02 * abs(ours[0])
    assert theirs == pytest.approx(ours, rel=1e-3)


@pytest.mark.slow
@pytest.mark.eager
@pytest.mark.parametrize(
    "changes",
    [{}, {"adversarial": "log_likelihood", "identity_weight": 0.0, "upsample_kernel": 1, "gate_gain": 2.0}],
    ids=["demo's", "paper's"],
)
def test_the_translation_step_pays_what_ours_pays(peers, changes):
    from peer_run import Place
    from torch_translation import TranslationStep

    config = small_config(translation=changes)
    inner = make_inner("attent", "translation", config)
    peer = TranslationStep(config, Place())
    for network, role in zip(
        (peer.to_source, peer.to_target, *peer.judges), (TO_SOURCE, TO_TARGET, JUDGE_SOURCE, JUDGE_TARGET), strict=True
    ):
        _take_weights(peers, network, inner.networks[role])
    x_s, x_t = random_batch(inner.context.stage, count=1)
    peer.x_s, peer.x_t = _turned(peers, x_s), _turned(peers, x_t)
    phase = "free" if changes else "anchored"
    ours = [float(inner.update(phase, tf.constant(i, tf.int64), x_s, x_t)["generator"]) for i in range(_UPDATES)]
    _assert_alike(ours, [float(peer.run()) for _ in range(_UPDATES)])


@pytest.mark.slow
@pytest.mark.eager
@pytest.mark.parametrize("statistics", ["labelled", "own"])
def test_the_segmentation_step_pays_what_ours_pays(peers, statistics):
    from peer_run import Place
    from torch_segmentation import SegmentationStep

    changes = {"aligner_main_weight": 0.5, "aligner_aux_weight": 0.2, "dice_weight": 1.0}
    config = small_config(segmentation={**changes, "aligner_statistics": statistics})
    inner = make_inner("attent", "segmentation", config)
    peer = SegmentationStep(config, Place())
    for network, role in zip((peer.segmentor, *peer.judges), (SEGMENTOR, JUDGE_MAIN, JUDGE_AUX), strict=True):
        _take_weights(peers, network, inner.networks[role])
    (x_s, labels), x_t = random_batch(inner.context.stage)
    # Not every slice shows every structure.
    labels[0][labels[0] == 2] = 0
    labels[1][:] = 0
    peer.x_s, peer.x_t = _turned(peers, x_s), _turned(peers, x_t)
    peer.labels = peers.from_numpy(labels.astype(np.int64))
    steps = [tf.constant(i, tf.int64) for i in range(_UPDATES)]
    ours = [float(inner.update("aligned", step, (x_s, labels), x_t)["segmentor"]) for step in steps]
    _assert_alike(ours, [float(peer.run()) for _ in range(_UPDATES)])


@pytest.mark.slow
@pytest.mark.eager
def test_the_chain_says_what_ours_says(peers):
    import torch_chain
    from peer_run import Place

    config = small_config()
    generator = make_inner("attent", "translation", config).networks[TO_SOURCE]
    segmentor = make_inner("attent", "segmentation", config).networks[SEGMENTOR]
    peer = torch_chain.Chain(config, Place())
    _take_weights(peers, peer.translator, generator)
    _take_weights(peers, peer.segmentor, segmentor)
    # Twice the networks' edge, as the demo has it.
    images = np.random.default_rng(0).uniform(-1, 1, (2, 64, 64, 1)).astype(np.float32)
    ours = Chain([Route(segmentor, (generator,))], 32)(images)
    theirs = [output.numpy() for output in peer.segment(_turned(peers, images))]
    for output, expected in zip(
        (ours.translated, ours.probabilities, ours.entropy), (*theirs[:2], theirs[3]), strict=True
    ):
        np.testing.assert_allclose(output.numpy(), expected.transpose(0, 2, 3, 1), atol=1e-4)
    assert np.mean(ours.labels.numpy() == theirs[2]) > 0.999


@pytest.mark.slow
def test_the_backbone_of_paper_says_what_ours_says(peers):
    from torch_networks import Segmentor

    section = small_config(segmentation={"backbone": "resnet101", "rates": (1, 2, 3, 4)}).segmentation
    images = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 1)).astype(np.float32)
    ours = DeepLabV2(5, "resnet101", section.rates)
    ours(images)
    peer = Segmentor(section, 5)
    _take_weights(peers, peer, ours)
    with peers.no_grad():
        theirs = peer.eval()(_turned(peers, images))
    for output, expected in zip(ours(images)[:2], theirs, strict=True):
        scale = np.abs(output).max()
        np.testing.assert_allclose(output / scale, expected.numpy().transpose(0, 2, 3, 1) / scale, atol=1e-4)


def test_networks_of_the_demo_have_as_many_parameters(peers):
    import compare

    assert compare.count_peer("demo") == compare.count_ours("demo")


@pytest.mark.parametrize("words", [["--what", "chain"], ["--check"]])
def test_without_pytorch_one_line_is_said(monkeypatch, words):
    from benchmarks.peers import compare

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SystemExit, match="expected PyTorch beside this library, found none; pip install torch"):
        compare.main(words)


def test_a_peer_without_pytorch_says_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SystemExit, match=r"PyTorch: expected it beside this library, found none .*; pip install torch"):
        from benchmarks.peers import peer_run  # noqa: F401
