"""The gRPC client against TensorFlow Serving's own API package, `tensorflow-serving-api`, in another process."""

import importlib.util
import json

import numpy as np
import pytest

from attent_tf.deployment.signature import expected_signatures
from attent_tf.errors import ServerError
from attent_tf.inference.batches import run_slices
from attent_tf.inference.chain import load_chain
from attent_tf.serving import RemoteChain, connect, messages
from tests.serving.servers import serving
from tests.support.same_answers import assert_same_answers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("tensorflow_serving") is None,
        reason="the package tensorflow-serving-api is not installed",
    ),
]

_SIGNATURES = expected_signatures(256, 1, 5)
_VALUES = np.random.default_rng(5).uniform(-1, 1, (2, 4, 4, 1)).astype(np.float32)


def _requests():
    # By name in the order of the alphabet, as a map is written when the same map is to give the same bytes.
    raw = {"high": np.float32([1, 2]), "intensities": _VALUES, "low": np.float32([0, -1])}
    tensors = {name: messages.make_tensor(values) for name, values in raw.items()}
    newest = messages.make_predict_request("attent", None, "raw", tensors)
    third = messages.make_predict_request("leber ä", 3, "", {"image": messages.make_constant(-1.0, (1, 4, 4, 1))})
    metadata = messages.make_message(
        "GetModelMetadataRequest", model_spec=third.model_spec, metadata_field=["signature_def"]
    )
    log = messages.make_message("PredictionLog", predict_log=messages.make_message("PredictLog", request=newest))
    return {
        "newest.PredictRequest": newest,
        "third.PredictRequest": third,
        "metadata.GetModelMetadataRequest": metadata,
        "log.PredictionLog": log,
    }


@pytest.fixture(scope="module")
def official(model, tmp_path_factory):
    """Yields the address of the server, and the folder with the messages that it read and wrote."""
    folder = tmp_path_factory.mktemp("messages")
    for name, message in _requests().items():
        (folder / name).write_bytes(message.SerializeToString())
    with serving("official_server.py", model / "1", folder) as port:
        yield f"grpc://127.0.0.1:{port}", folder


@pytest.mark.parametrize("name", list(_requests()))
def test_servings_classes_write_the_bytes_that_the_client_sends(name, official):
    _, folder = official
    assert (folder / name).with_suffix(".again").read_bytes() == (folder / name).read_bytes()


def test_servings_classes_read_the_values_that_the_client_sends(official):
    _, folder = official
    found = np.load(folder / "newest.npz")
    assert sorted(found) == ["high", "intensities", "low"]
    np.testing.assert_array_equal(found["intensities"], _VALUES)
    np.testing.assert_array_equal(found["low"], np.float32([0, -1]))
    np.testing.assert_array_equal(np.load(folder / "third.npz")["image"], np.full((1, 4, 4, 1), -1, np.float32))


@pytest.mark.parametrize("name", ["packed", "listed"])
def test_the_client_reads_what_servings_classes_write(name, official):
    _, folder = official
    answer = messages.parse_message("PredictResponse", (folder / f"{name}.answer").read_bytes())
    found = {item.key: messages.read_tensor(item.value) for item in answer.outputs}
    assert found.keys() == {"probabilities", "labels"}
    np.testing.assert_array_equal(found["probabilities"].ravel(), np.linspace(-1, 1, 6, dtype=np.float32))
    np.testing.assert_array_equal(found["labels"], np.arange(6).reshape(1, 2, 3))


def test_servings_classes_read_the_warm_up_file(official):
    _, folder = official
    warmup = dict(json.loads((folder / "warmup.json").read_text()))
    assert warmup.keys() == _SIGNATURES.keys()
    for name, shapes in warmup.items():
        assert shapes.keys() == _SIGNATURES[name].inputs.keys()
        assert all(_SIGNATURES[name].inputs[key].fits(tuple(shape)) for key, shape in shapes.items())


def test_a_server_of_servings_classes_says_what_the_run_says(official, run):
    images = np.random.default_rng(6).uniform(-1, 1, (3, 256, 256, 1)).astype(np.float32)
    server = connect(official[0])
    assert server.signatures() == _SIGNATURES
    ((_, found),) = run_slices(RemoteChain(server, run.prepare_options, 5, translate=True), images, batch_size=3)
    ((_, expected),) = run_slices(load_chain(run), images, batch_size=3)
    assert_same_answers(found, expected, names=("translated", "probabilities", "entropy"))


def test_its_refusals_are_one_line(official):
    with pytest.raises(ServerError, match=r"Specific\(attent, 9\)”; check the names of model and version"):
        connect(official[0], version=9).signatures()
    with pytest.raises(ServerError, match=r"expected values in \[-1, 1\].*expected for 'entropy' image") as caught:
        connect(official[0]).predict("entropy", _SIGNATURES["entropy"], {"image": np.full((1, 256, 256, 1), 40)})
    assert "\n" not in str(caught.value)
