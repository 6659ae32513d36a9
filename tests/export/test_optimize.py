"""Models made for use alone: folded, frozen, in half precision; and the figures that are stated of them."""

import json

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.errors import RunError
from attent_tf.export.folding import fold_batch_norms
from attent_tf.export.optimize import _with_half_constants
from attent_tf.export.saved_model import export_chain
from attent_tf.inference.chain import load_chain
from attent_tf.models import DeepLabV2, PatchDiscriminator, SifaSegmentor
from attent_tf.models.resnet import ResidualUnit
from tests.export.test_saved_model import _SNAPSHOT, _images, _interface

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def images():
    return _images(2)


@pytest.fixture(scope="module")
def expected(run, images):
    return load_chain(run)(tf.constant(images))


@pytest.mark.parametrize(("weights", "tolerance"), [("float32", 1e-4), ("float16", 0.05)])
def test_an_optimised_model_has_the_same_interface_and_nearly_the_same_output(
    weights, tolerance, run, images, expected, tmp_path
):
    exported = export_chain(run, tmp_path / "model", weights=weights)
    served = tf.saved_model.load(str(exported.folder))
    assert _interface(served) == _SNAPSHOT
    answer = served.signatures["serving_default"](image=tf.constant(images))
    np.testing.assert_allclose(answer["probabilities"], expected.probabilities, atol=tolerance)
    translated = served.signatures["translate"](image=tf.constant(images))["translated"]
    np.testing.assert_allclose(translated, expected.translated, atol=tolerance)
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected values in"):
        served.signatures["serving_default"](image=tf.constant(40 * images))

    nodes = [node.op for node in _nodes(exported.folder)]
    assert "VarHandleOp" not in nodes
    # What is left of them is one each for the seven instance norms of the generator.
    assert nodes.count("Rsqrt") == 7

    found = json.loads((exported.folder / "metadata.json").read_text())["optimization"]
    assert found["weights"] == weights
    assert 0 < found["largest_change_of_a_probability"] < tolerance
    assert found["seconds_plain"] > 0
    assert found["seconds_optimized"] > 0
    assert "Optimised: batch norms folded" in (exported.folder / "MODEL_CARD.md").read_text()


def _nodes(folder):
    from tensorflow.core.protobuf import saved_model_pb2

    graph = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0].graph_def
    yield from graph.node
    for function in graph.library.function:
        yield from function.node_def


def test_half_precision_halves_the_constants():
    def doubled(values):
        graph = tf.Graph()
        with graph.as_default():
            tf.identity(tf.constant(values, name="kernel"), name="out")
        halved = _with_half_constants(graph.as_graph_def())
        (value,) = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(halved, name=""), []).prune(
            [], ["out:0"]
        )()
        return value.numpy(), halved

    kernel = np.random.default_rng(0).normal(0, 1, (3, 3, 8, 8)).astype(np.float32)
    value, graph = doubled(kernel)
    assert value.dtype == np.float32
    np.testing.assert_array_equal(value, kernel.astype(np.float16).astype(np.float32))
    assert graph.ByteSize() < 0.6 * kernel.nbytes
    with pytest.raises(RunError, match="exceeds 65504; use --optimize float32"):
        doubled(np.full((3, 3, 8, 8), 1e6, np.float32))


def _randomise_norms(network):
    rng = np.random.default_rng(0)
    norms = [variable for variable in network.variables if "norm" in variable.path]
    for variable in norms:
        variable.assign(rng.uniform(0.5, 1.5, variable.shape))
    return len(norms) // 4


@pytest.mark.parametrize(
    "segmentor",
    [DeepLabV2(5, backbone="small", rates=(1, 2)), SifaSegmentor(5, filters=2, widest=8)],
    ids=["deeplab", "sifa"],
)
def test_folded_batch_norms_compute_the_same(segmentor):
    image = tf.random.stateless_uniform((1, 32, 32, 1), (0, 1), -1, 1)
    segmentor(image)
    norms = _randomise_norms(segmentor)
    before = segmentor(image).main.numpy()
    assert fold_batch_norms(segmentor) == norms > 10
    scale = np.abs(before).max()
    np.testing.assert_allclose(segmentor(image).main / scale, before / scale, atol=1e-5)


def test_bottlenecks_are_folded_too():
    unit = ResidualUnit(4, bottleneck=True, strides=2, dilation=1, project=True)
    features = tf.random.stateless_normal((1, 8, 8, 6), (0, 1))
    unit(features)
    assert _randomise_norms(unit) == 4
    before = unit(features).numpy()
    assert fold_batch_norms(unit) == 4
    assert np.abs(before).max() > 0
    np.testing.assert_allclose(unit(features), before, rtol=1e-4, atol=1e-5)


def test_a_network_that_names_no_norms_is_left_as_it_is():
    network = PatchDiscriminator(2)
    image = tf.random.stateless_uniform((1, 32, 32, 1), (0, 1), -1, 1)
    before = network(image).numpy()
    assert fold_batch_norms(network) == 0
    np.testing.assert_array_equal(network(image), before)
