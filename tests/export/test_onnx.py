"""The ONNX file answers as the exported SavedModel does, for every way that slices take, in batches of any size."""

import functools
import json

import numpy as np
import pytest
from click.testing import CliRunner

from attent_tf.errors import ConfigError, RunError
from cli.main import main
from tests.support.untrained_runs import write_untrained_run

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
pytest.importorskip("tf2onnx", reason="the extra onnx is not installed")

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def written(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx") / "attent"
    done = CliRunner().invoke(main, ["export", "--run", str(run.folder), "--out", str(folder), "--format", "onnx"])
    assert done.exit_code == 0, done.output
    assert "ONNX, opset 18" in done.output
    return folder / "1"


def _session(folder):
    return onnxruntime.InferenceSession(str(folder / "models" / "model.onnx"), providers=["CPUExecutionProvider"])


def _images(batch, seed=3):
    return np.random.default_rng(seed).uniform(-1, 1, (batch, 256, 256, 1)).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 3])
def test_it_answers_as_the_saved_model_does(written, served, batch):
    import tensorflow as tf

    images = _images(batch)
    names = ("probabilities", "labels", "entropy", "translated")
    found = dict(zip(names, _session(written).run(names, {"image": images}), strict=True))
    calls = served.signatures
    expected = {key: value.numpy() for key, value in calls["serving_default"](image=tf.constant(images)).items()}
    for name in ("entropy", "translate"):
        expected |= {key: value.numpy() for key, value in calls[name](image=tf.constant(images)).items()}
    for name in ("probabilities", "entropy", "translated"):
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=TOLERANCE)
    assert found["labels"].dtype == np.int64
    ordered = np.sort(expected["probabilities"], axis=-1)
    sure = ordered[..., -1] - ordered[..., -2] > 2 * TOLERANCE
    assert sure.mean() > 0.9
    np.testing.assert_array_equal(found["labels"][sure], expected["labels"][sure])


@pytest.mark.slow
def test_the_file_says_its_opset_its_batch_and_its_bundle(run, written):
    model = onnx.load(written / "models" / "model.onnx")
    metadata = json.loads((written / "metadata.json").read_text())
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", metadata["onnx"]["opset"])]
    assert {tensor.type.tensor_type.shape.dim[0].dim_param for tensor in (*model.graph.input, *model.graph.output)} == {
        "batch"
    }
    described = json.loads((written / "configs" / "metadata.json").read_text())
    # What MONAI's specification of bundles asks for.
    assert {"version", "monai_version", "pytorch_version", "numpy_version", "optional_packages_version"} <= set(
        described
    )
    assert {"task", "description", "authors", "copyright", "network_data_format"} <= set(described)
    for tensors in described["network_data_format"].values():
        for tensor in tensors.values():
            assert {"type", "format", "num_channels", "spatial_shape", "dtype", "value_range"} <= set(tensor)
            assert {"is_patch_data", "channel_def"} <= set(tensor)
    pred = described["network_data_format"]["outputs"]["pred"]["channel_def"]
    assert list(pred.values()) == list(run.task.class_names)
    assert str(run.folder) not in (written / "models" / "model.onnx").read_bytes().decode("latin-1")


def _calm(segmentor):
    """Brings the scores of a deep network of random weights to the size of a trained one's.

    They are so large without that rounding, which differs between runtimes, decides between two classes.
    """
    largest = np.abs(segmentor(_images(1)).main.numpy()).max()
    for variable in segmentor.head.variables:
        variable.assign(variable.value * (10.0 / largest))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["source_only", "attent_both", "pnp_adanet", "sifa_v2"])
def test_every_way_of_slices_can_be_written(method, tmp_path, monkeypatch):
    from attent_tf.export.onnx_model import TOLERANCE as HELD
    from attent_tf.export.onnx_model import compared, to_onnx
    from attent_tf.inference.chain import load_chain
    from attent_tf.models import PnpSegmentor
    from attent_tf.runs import configured

    settings = ("segmentation.backbone=pnp_adanet",) if method == "pnp_adanet" else ()
    # As deep as it is, and narrow: no configuration makes it smaller.
    monkeypatch.setattr(configured, "PnpSegmentor", functools.partial(PnpSegmentor, filters=2))
    chain = load_chain(write_untrained_run(tmp_path / "run", method, settings=settings))
    if method == "pnp_adanet":
        _calm(chain.routes[0].segmentor)
    content = to_onnx(chain, 256, 1)
    assert compared(chain, content, _images(2)) <= HELD == TOLERANCE


def test_another_answer_is_refused(monkeypatch):
    from attent_tf.export import onnx_model

    for difference in (2e-4, float("inf"), float("nan")):
        monkeypatch.setattr(onnx_model, "_differences", lambda *_, found=difference: iter([found]))
        with pytest.raises(RunError, match=r"expected the answers of TensorFlow to 0\.0001"):
            onnx_model.compared(None, b"", np.zeros((1, 4, 4, 1), np.float32))


def test_a_missing_extra_is_told(monkeypatch):
    from attent_tf.export.onnx_model import check_packages

    monkeypatch.setitem(__import__("sys").modules, "tf2onnx", None)
    with pytest.raises(ConfigError, match=r"pip install attent-tf\[onnx\]"):
        check_packages()
