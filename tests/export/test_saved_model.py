"""The exported model: its interface, its agreement with the Python path, and what lies beside it."""

import json

import numpy as np
import pytest
import tensorflow as tf

import attent_tf as at
from attent_tf.deployment import read_contract
from attent_tf.errors import InputError
from attent_tf.export.saved_model import export_chain
from attent_tf.inference.batches import run_slices
from attent_tf.inference.chain import load_chain
from attent_tf.training.precision import computing_in
from attent_tf.volumes import Intensity, PrepareOptions, prepare
from attent_tf.volumes.array import volume_of_array
from tests.support import wire
from tests.support.same_answers import assert_same_answers, assert_same_labels, probabilities_on_scan
from tests.support.untrained_runs import write_untrained_run

pytestmark = pytest.mark.slow

# The interface: changing a line here breaks every server and client in use.
_SNAPSHOT = {
    "serving_default": {
        "inputs": {"image": ("float32", [None, 256, 256, 1])},
        "outputs": {"labels": ("int64", [None, 256, 256]), "probabilities": ("float32", [None, 256, 256, 5])},
    },
    "translate": {
        "inputs": {"image": ("float32", [None, 256, 256, 1])},
        "outputs": {"translated": ("float32", [None, 256, 256, 1])},
    },
    "entropy": {
        "inputs": {"image": ("float32", [None, 256, 256, 1])},
        "outputs": {"entropy": ("float32", [None, 256, 256, 1])},
    },
    "raw": {
        "inputs": {
            "high": ("float32", [None]),
            "intensities": ("float32", [None, 256, 256, 1]),
            "low": ("float32", [None]),
        },
        "outputs": {"labels": ("int64", [None, 256, 256]), "probabilities": ("float32", [None, 256, 256, 5])},
    },
}


def _interface(served):
    def tensors(specs):
        return {name: (spec.dtype.name, spec.shape.as_list()) for name, spec in sorted(specs.items())}

    return {
        name: {
            "inputs": tensors(signature.structured_input_signature[1]),
            "outputs": tensors(signature.structured_outputs),
        }
        for name, signature in served.signatures.items()
    }


def _images(count, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 256, 256, 1)).astype(np.float32)


def _assert_equal_to_python(served, chain):
    """Compares with the way on which scans and test cases go, whose batches are always of one size."""
    for count in (1, 3):
        images = _images(count, seed=count)
        ((_, expected),) = run_slices(chain, images)
        image = tf.constant(images)
        answer = served.signatures["serving_default"](image=image)
        assert_same_answers(answer, expected)
        translated = served.signatures["translate"](image=image)["translated"]
        np.testing.assert_allclose(translated, expected.translated, atol=1e-5, rtol=0)
        entropy = served.signatures["entropy"](image=image)["entropy"]
        np.testing.assert_allclose(entropy, expected.entropy, atol=1e-5, rtol=0)


def test_signatures_have_their_names_types_and_shapes(served):
    assert _interface(served) == _SNAPSHOT


def test_outputs_equal_the_python_path(served, run):
    _assert_equal_to_python(served, load_chain(run))


def test_an_array_has_the_same_labels_from_the_run_and_from_its_export(run, exported):
    rng = np.random.default_rng(0)
    voxels = np.full((60, 50, 3), -1000, np.int16)
    voxels[8:52, 8:42] = rng.normal(40, 60, (44, 34, 3))
    affine = np.diag([-5.0, 5.0, 5.0, 1.0])

    chain = at.load_chain(run.folder, batch_size=3)
    labels = at.segment_volume(chain, voxels, affine)

    assert labels.shape == voxels.shape
    assert len(np.unique(labels)) > 1
    from_export = at.load_chain(exported, batch_size=2)
    assert from_export.model.task == chain.model.task
    again = at.segment_volume(from_export, voxels, affine, "ct")
    prepared = prepare(volume_of_array(voxels, affine, run.task.domain("ct")), run.prepare_options)
    assert_same_labels(again, labels, probabilities_on_scan(chain.deployed.chain, prepared, 3))


def test_the_outputs_are_no_constants(served):
    answer = served.signatures["serving_default"](image=tf.constant(_images(2)))
    assert len(np.unique(answer["labels"])) > 1
    assert np.ptp(answer["probabilities"].numpy()[..., 1]) > 0.01


def test_outputs_equal_the_python_path_whatever_the_precision_of_training(tmp_path):
    precision = "mixed_bfloat16"
    run = write_untrained_run(tmp_path / "run", settings=[f"precision={precision}"])
    exported = export_chain(run, tmp_path / "model")
    assert exported.metadata["training"]["precision"] == precision
    served = tf.saved_model.load(str(exported.folder))
    assert _interface(served) == _SNAPSHOT
    _assert_equal_to_python(served, load_chain(run))


def test_networks_that_compute_in_16_bits_are_served_in_float32(run, tmp_path):
    with computing_in("mixed_float16"):
        exported = export_chain(run, tmp_path / "model")
        chain = load_chain(run)
    assert chain.networks[-1].compute_dtype == "float16"
    served = tf.saved_model.load(str(exported.folder))
    assert _interface(served) == _SNAPSHOT
    image = tf.constant(_images(2))
    answer = served.signatures["serving_default"](image=image)
    # Sums in another order may round a 16-bit value the other way.
    np.testing.assert_allclose(answer["probabilities"], chain(image).probabilities, atol=0.01)


def test_raw_intensities_are_normalised_as_volumes_are(served):
    rng = np.random.default_rng(4)
    hounsfield = rng.uniform(-1000, 1000, (3, 256, 256, 1)).astype(np.float32)
    windows = [(-160.0, 240.0), (-1000.0, 500.0), (0.1, 77.7)]
    low, high = np.array(windows, np.float32).T
    prepared = np.stack(
        [
            Intensity("window", float(low_), float(high_)).normalise(image)
            for image, low_, high_ in zip(hounsfield, low, high, strict=True)
        ]
    )
    raw = served.signatures["raw"](intensities=tf.constant(hounsfield), low=tf.constant(low), high=tf.constant(high))
    expected = served.signatures["serving_default"](image=tf.constant(prepared))
    assert_same_answers(raw, expected)


def test_normalisation_in_the_graph_is_that_of_volumes_to_the_last_bit():
    from attent_tf.export.signatures import normalise

    values = np.random.default_rng(5).normal(0, 500, (2, 8, 8, 1)).astype(np.float32)
    low, high = np.float32([-160, 3.3]), np.float32([240, 1234.5])
    found = normalise(tf.constant(values), tf.constant(low), tf.constant(high)).numpy()
    for image, normalised, low_, high_ in zip(values, found, low, high, strict=True):
        np.testing.assert_array_equal(normalised, Intensity("window", float(low_), float(high_)).normalise(image))


@pytest.mark.parametrize(
    ("signature", "inputs", "message"),
    [
        ("serving_default", {"image": np.full((1, 256, 256, 1), 40)}, r"image: expected values in \[-1, 1\]"),
        ("translate", {"image": np.full((1, 256, 256, 1), np.nan)}, r"image: expected values in \[-1, 1\]"),
        (
            "raw",
            {"intensities": np.full((1, 256, 256, 1), np.inf), "low": [0.0], "high": [1.0]},
            "intensities: expected finite values",
        ),
        ("raw", {"intensities": np.zeros((1, 256, 256, 1)), "low": [5.0], "high": [5.0]}, "expected low < high"),
    ],
)
def test_values_that_no_slice_has_are_refused(served, signature, inputs, message):
    tensors = {name: tf.constant(value, tf.float32) for name, value in inputs.items()}
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        served.signatures[signature](**tensors)


def test_warm_up_requests_run_on_the_model(exported, served):
    content = (exported / "assets.extra" / "tf_serving_warmup_requests").read_bytes()
    records = wire.records(content)
    assert list(tf.data.TFRecordDataset([str(exported / "assets.extra" / "tf_serving_warmup_requests")])) == [
        tf.constant(record) for record in records
    ]
    names = []
    for record in records:
        # PredictionLog.predict_log = 6, PredictLog.request = 1, PredictRequest.model_spec = 1, ModelSpec.signature_name = 3.
        request = wire.only(wire.only(record, 6), 1)
        names.append(wire.only(wire.only(request, 1), 3).decode())
        inputs = {}
        # PredictRequest.inputs = 2 is a map: key = 1, value = 2.
        for number, entry in wire.fields(request):
            if number == 2:
                inputs[wire.only(entry, 1).decode()] = tf.constant(_tensor(wire.only(entry, 2)))
        outputs = served.signatures[names[-1]](**inputs)
        assert all(value.shape[0] == 8 for value in outputs.values())
    assert names == list(_SNAPSHOT)


def _tensor(content):
    from tensorflow.core.framework import tensor_pb2

    return tf.make_ndarray(tensor_pb2.TensorProto.FromString(content))


def test_metadata_leads_a_client_to_the_same_preparation(exported, run):
    contract = read_contract(exported)
    assert contract.prepare_options == run.prepare_options
    assert contract.postprocessing == run.postprocessing
    assert (contract.source, contract.target, contract.method) == ("mri", "ct", run.method)
    content = json.loads((exported / "metadata.json").read_text())
    assert content["input"]["modality"] == "ct"
    assert content["input"]["intensity"] == "window:-160:240"
    assert content["training"]["records"] == "0" * 64
    assert content["training"]["steps"] == {"translation": 3, "segmentation": 3}
    assert content["training"]["planned_steps"] == {"translation": 3, "segmentation": 3}
    stated = {
        name: {
            kind: {
                tensor: (spec["dtype"], [None if size < 0 else size for size in spec["shape"]])
                for tensor, spec in sorted(signature[kind].items())
            }
            for kind in ("inputs", "outputs")
        }
        for name, signature in content["signatures"].items()
    }
    types = {"float32": "DT_FLOAT", "int64": "DT_INT64"}
    assert stated == {
        name: {
            kind: {tensor: (types[dtype], shape) for tensor, (dtype, shape) in tensors.items()}
            for kind, tensors in signature.items()
        }
        for name, signature in _SNAPSHOT.items()
    }


def test_the_fingerprint_follows_the_weights(exported, run, tmp_path):
    from attent_tf.export.saved_model import weights_sha256

    chain, stated = load_chain(run), json.loads((exported / "metadata.json").read_text())["training"]["weights_sha256"]
    assert weights_sha256(chain) == stated
    chain.networks[-1].main_head.branches[0].bias.assign_add([0, 0, 1e-3, 0, 0])
    assert weights_sha256(chain) != stated


def test_the_card_tells_what_it_is_and_is_not(exported):
    card = (exported / "MODEL_CARD.md").read_text()
    assert card.startswith("# AttENT, MRI → CT, version 1\n")
    assert "not a medical device" in card
    assert "None: the run was not evaluated" in card


def test_methods_without_a_translator_hand_the_image_through(tmp_path):
    run = write_untrained_run(tmp_path / "run", "source_only", "ct2mri", PrepareOptions(size=64, neighbours=1))
    exported = export_chain(run, tmp_path / "model")
    served = tf.saved_model.load(str(exported.folder))
    image = np.random.default_rng(0).uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
    np.testing.assert_array_equal(served.signatures["translate"](image=tf.constant(image))["translated"], image)
    chain = load_chain(run)
    np.testing.assert_allclose(
        served.signatures["serving_default"](image=tf.constant(image))["probabilities"],
        chain(tf.constant(image)).probabilities,
        atol=1e-5,
    )
    assert json.loads((exported.folder / "metadata.json").read_text()) == exported.metadata
    assert read_contract(exported.folder).target == "mri"
    assert "translated into" not in (exported.folder / "MODEL_CARD.md").read_text()


def test_a_version_is_never_replaced(exported, run):
    before = {path: path.stat().st_mtime_ns for path in exported.rglob("*")}
    with pytest.raises(InputError, match="expected a version that does not exist yet; give --version 2"):
        export_chain(run, exported.parent, version=1)
    assert before == {path: path.stat().st_mtime_ns for path in exported.rglob("*")}


def test_an_export_that_fails_leaves_nothing(run, tmp_path, monkeypatch):
    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr("attent_tf.export.saved_model.write_warmup", fail)
    with pytest.raises(OSError, match="disk full"):
        export_chain(run, tmp_path / "model")
    assert list((tmp_path / "model").iterdir()) == []
