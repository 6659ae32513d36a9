"""The client and an exported model on a server process: the same answers as here, and refusals in one line."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner

import attent_tf as at
from attent_tf.deployment import read_contract
from attent_tf.deployment.signature import expected_signatures
from attent_tf.errors import ServerError
from attent_tf.inference.batches import run_slices
from attent_tf.inference.chain import load_chain
from attent_tf.serving import RemoteChain, connect
from attent_tf.volumes import PrepareOptions, Volume, prepare, read_scan, write_scan
from cli.main import main
from tests.support.abdomen import CT
from tests.support.same_answers import ROUNDING, assert_same_answers, assert_same_labels, probabilities_on_scan

pytestmark = pytest.mark.slow

_ROOT = Path(__file__).resolve().parents[2]
_SIGNATURES = expected_signatures(256, 1, 5)


@pytest.fixture(scope="module")
def volume():
    rng = np.random.default_rng(0)
    voxels = np.full((60, 50, 5), -1000.0, np.float32)
    voxels[10:50, 10:40] = 60.0 + rng.normal(0, 60, (40, 30, 5))
    return Volume(voxels, np.diag([6.0, 6.0, 5.0, 1.0]), case="example", domain=CT)


def test_a_remote_chain_says_all_that_a_local_one_says(run, address):
    images = np.random.default_rng(1).uniform(-1, 1, (3, 256, 256, 1)).astype(np.float32)
    remote = RemoteChain(connect(address), run.prepare_options, 5, translate=True, slices_per_request=2)
    ((_, found),) = run_slices(remote, images, batch_size=3)
    ((_, expected),) = run_slices(load_chain(run), images, batch_size=3)
    assert_same_answers(found, expected, names=("translated", "probabilities", "entropy"))
    assert found.labels.dtype == expected.labels.dtype


@pytest.mark.parametrize(
    ("signature", "inputs", "message"),
    [
        ("entropy", {"image": np.zeros((1, 128, 128, 1))}, r"\[1,128,128,1\] is not compatible .* \[\?,256,256,1\]"),
        ("entropy", {"image": np.zeros((1, 256, 256))}, "is not compatible with expected shape"),
        (
            "entropy",
            {"image": np.full((1, 256, 256, 1), 40.0)},
            r"image: expected values in \[-1, 1\],\] \[found\] \[40",
        ),
        ("entropy", {"image": np.full((1, 256, 256, 1), np.nan)}, r"expected values in \[-1, 1\]"),
        ("entropy", {"image": np.full((1, 256, 256, 1), "dark")}, "is not of expected type: float"),
        ("raw", {"intensities": np.zeros((1, 256, 256, 1))}, "Missing named input: (low|high)"),
        (
            "raw",
            {"intensities": np.zeros((1, 256, 256, 1)), "low": np.ones(1), "high": np.zeros(1)},
            "expected low < high for each slice",
        ),
    ],
)
def test_a_wrong_request_gets_the_servers_error_and_what_was_expected(signature, inputs, message, address):
    with pytest.raises(ServerError, match=message) as caught:
        connect(address).predict(signature, _SIGNATURES[signature], inputs)
    line = str(caught.value)
    assert line.startswith(f"{address}/v1/models/attent: the server says “")
    assert line.endswith(f"expected for {signature!r} {_SIGNATURES[signature]}")
    assert "\n" not in line


def test_what_the_server_lacks_is_named(address):
    with pytest.raises(ServerError, match=r"Servable not found for request: Latest\(liver\)"):
        connect(address, "liver").signatures()
    with pytest.raises(ServerError, match=r"Servable not found for request: Specific\(attent, 9\)"):
        connect(address, version=9).signatures()
    with pytest.raises(ServerError, match='"style" not found in signature def'):
        connect(address).predict("style", _SIGNATURES["entropy"], {"image": np.zeros((1, 256, 256, 1))})
    with pytest.raises(ServerError, match=r"expected image \[batch, 128, 128, 1\]"):
        RemoteChain(connect(address), PrepareOptions(size=128), 5)


def _segment(scan, out, *words):
    """Runs `attent segment` where TensorFlow cannot be imported."""
    hiding = ("-m", "tests.support.hiding", "without", "tensorflow,keras,tensorboard")
    command = [sys.executable, *hiding, "cli.main", "segment", "--input", scan, "--out", out, *words]
    return subprocess.run(
        [str(word) for word in command],
        cwd=scan.parent,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def scan(volume, tmp_path):
    write_scan(tmp_path / "scan.nii.gz", volume.voxels, volume.affine, np.float32)
    return tmp_path / "scan.nii.gz"


def test_segment_with_a_server_needs_no_tensorflow_and_gives_the_same_labels(run, model, address, scan, tmp_path):
    out, report = tmp_path / "labels.nii.gz", tmp_path / "report.json"
    words = ("--server", address, "--model-metadata", model / "1", "--report", report, "--entropy", "--probabilities")
    done = _segment(scan, out, *words, "--batch-size", 5)
    assert done.returncode == 0, done.stderr[-2000:]
    chain, volume = load_chain(run), read_scan(scan, CT)
    expected = at.segment_volume(at.load_chain(run), volume.voxels, volume.affine)
    probabilities = probabilities_on_scan(chain, prepare(volume, run.prepare_options))
    assert_same_labels(np.asanyarray(nibabel.load(out).dataobj), expected, probabilities)
    # They are stored in steps of 1/255.
    stored = nibabel.load(tmp_path / "labels_probabilities.nii.gz").get_fdata()
    np.testing.assert_allclose(stored, probabilities, atol=0.5 / 255 + ROUNDING)
    assert nibabel.load(tmp_path / "labels_entropy.nii.gz").shape == expected.shape
    content = json.loads(report.read_text())
    assert content["device"] == f"{address}/v1/models/attent"
    assert content["run"] == read_contract(model / "1").describe()


@pytest.mark.parametrize(
    ("server", "words", "message"),
    [
        (
            "http://127.0.0.1:1",
            (),
            r"Error: http://127.0.0.1:1/v1/models/attent: expected a TensorFlow Serving .*refused",
        ),
        (None, ("--model", "liver"), r"Error: .*/v1/models/liver: the server says .*Latest\(liver\)"),
        (None, ("--model-version", 9), r"Error: .*/versions/9: the server says .*Specific\(attent, 9\)"),
        ("localhost:8501", (), r"Error: server 'localhost:8501': expected an address such as"),
    ],
)
def test_segment_tells_in_one_line_what_is_wrong_with_a_server(server, words, message, model, address, scan, tmp_path):
    fixed = ("--server", server or address, "--model-metadata", model / "1")
    words = ("segment", "--input", scan, "--out", tmp_path / "labels.nii.gz", *fixed, *words)
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit), repr(done.exception)
    lines = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1
    assert re.match(message, lines[0])
    assert not list(tmp_path.glob("labels*"))


def _required_by(root):
    """Returns the names of a distribution and of all that it needs, as far as they are installed."""
    found, waiting = set(), [root]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            required = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        found.add(name)
        waiting += [re.match(r"[\w.-]+", text).group() for text in required if "extra ==" not in text]
    return found


def test_the_export_stands_alone_where_only_tensorflow_is_installed(run, model, tmp_path):
    allowed = _required_by("tensorflow")
    assert {"keras", "numpy"} <= allowed
    assert not allowed & {"apache-beam", "nibabel", "scipy"}
    image = np.random.default_rng(2).uniform(-1, 1, (2, 256, 256, 1)).astype(np.float32)
    np.save(tmp_path / "image.npy", image)
    hiding = (str(_ROOT / "tests" / "support" / "hiding.py"), "with", ",".join(sorted(allowed)))
    words = [*hiding, str(_ROOT / "tests" / "serving" / "alone.py"), str(model / "1"), str(tmp_path / "image.npy")]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer = np.load(tmp_path / "image.npy.answer.npz")
    expected = load_chain(run)(image)
    np.testing.assert_allclose(answer["probabilities"], expected.probabilities, atol=1e-5, rtol=0)
    assert answer["labels"].dtype == np.int64


def test_the_examples_of_the_document_work_as_written(model, address, scan, tmp_path):
    page = (_ROOT / "docs" / "serving.md").read_text()
    shells = [block for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "curl" in block]
    assert len(shells) == 2
    outputs = [
        subprocess.run(
            ["bash", "-euc", block.replace("http://localhost:8501", address)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for block in shells
    ]
    assert '"AVAILABLE"' in outputs[0]
    assert re.search(r"\{[0-4](, [0-4])*\}$", outputs[0].strip())
    assert "'labels'" in outputs[1]
    assert "'probabilities'" in outputs[1]

    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "attent").symlink_to(model)
    done = subprocess.run(
        [sys.executable, "-c", example.replace("http://localhost:8501", address)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert nibabel.load(tmp_path / "labels.nii.gz").shape == nibabel.load(scan).shape


def test_the_compose_file_says_what_the_docker_line_says():
    import yaml

    page = (_ROOT / "docs" / "serving.md").read_text()
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (service,) = yaml.safe_load(block)["services"].values()
    (line,) = [line for line in page.splitlines() if line.startswith("docker run --rm")]
    words = line.split()
    assert service["image"] in words
    assert service["command"][0] == words[words.index(service["image"]) + 1]
    assert service["ports"] == [words[i + 1] for i, word in enumerate(words) if word == "-p"]
    (name,) = [words[i + 1] for i, word in enumerate(words) if word == "-e"]
    assert name == f"MODEL_NAME={service['environment']['MODEL_NAME']}"
    (mount,) = [words[i + 1] for i, word in enumerate(words) if word == "-v"]
    assert mount.strip('"').replace("$PWD", ".") in service["volumes"]
