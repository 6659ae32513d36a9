"""An exported model, read by TensorFlow for Java: another program, another binding, the same numbers."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.support.same_answers import assert_same_answers

pytestmark = pytest.mark.slow

_SOURCE = Path(__file__).with_name("java")
_CLASS_PATH = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"
_FETCH_S, _RUN_S = 300, 120
_DTYPES = {"DT_FLOAT": "<f4", "DT_INT64": "<i8"}


@pytest.fixture(scope="module")
def class_path(tmp_path_factory):
    """The packages of pom.xml in Maven's own folder, fetched into it if they are not there."""
    missing = [program for program in ("java", "mvn") if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)}: not on the path")
    listed = tmp_path_factory.mktemp("java") / "class_path"
    command = ["mvn", "-B", "-q", "-f", str(_SOURCE / "pom.xml"), _CLASS_PATH, f"-Dmdep.outputFile={listed}"]
    for offline in (["--offline"], []):
        try:
            done = subprocess.run([*command, *offline], capture_output=True, text=True, check=False, timeout=_FETCH_S)
        except subprocess.TimeoutExpired:
            pytest.skip(f"Maven fetched nothing within {_FETCH_S} s")
        if done.returncode == 0:
            return listed.read_text()
    said = next((line for line in done.stdout.splitlines() if "ERROR" in line), "no reason given")
    return pytest.skip(f"Maven cannot fetch TensorFlow for Java: {said}")


def _requests():
    rng = np.random.default_rng(11)
    image = rng.uniform(-1, 1, (2, 256, 256, 1)).astype(np.float32)
    raw = {
        "intensities": rng.normal(60, 90, (2, 256, 256, 1)).astype(np.float32),
        "low": np.float32([-160, -100]),
        "high": np.float32([240, 300]),
    }
    dark = image.copy()
    dark[1, 7, 9] = -1.5
    absent = image.copy()
    absent[0, 3, 3] = np.nan
    return {
        "segmented": ("serving_default", {"image": image}),
        "translated": ("translate", {"image": image}),
        "unsure": ("entropy", {"image": image}),
        "raw": ("raw", raw),
        "dark": ("serving_default", {"image": dark}),
        "absent": ("translate", {"image": absent}),
        "small": ("entropy", {"image": image[:, :128]}),
        "flat": ("raw", {**raw, "high": raw["low"]}),
    }


@pytest.fixture(scope="module")
def answers(class_path, model, tmp_path_factory):
    """Returns the names of the signatures, and for each request its outputs by name or the words of the refusal."""
    folder = tmp_path_factory.mktemp("java_requests")
    lines = []
    for name, (signature, inputs) in _requests().items():
        for key, values in inputs.items():
            (folder / f"{name}.{key}.bin").write_bytes(values.astype("<f4").tobytes())
        shapes = [f"{key}={','.join(map(str, values.shape))}" for key, values in inputs.items()]
        lines.append(" ".join([name, signature, *shapes]))
    (folder / "requests.txt").write_text("\n".join(lines))
    command = ["java", "-cp", class_path, str(_SOURCE / "ReadExport.java"), str(model / "1"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_RUN_S)
    assert done.returncode == 0, done.stderr[-2000:]
    (first, *said) = done.stdout.splitlines()
    found = {}
    for line in said:
        name, verdict, *rest = line.split(" ")
        if verdict == "refused":
            found[name] = " ".join(rest)
            continue
        assert verdict == "ok", line
        found[name] = {}
        for word in rest:
            key, _, described = word.partition("=")
            dtype, _, sizes = described.partition(":")
            values = np.frombuffer((folder / f"{name}.out.{key}.bin").read_bytes(), _DTYPES[dtype])
            found[name][key] = values.reshape([int(size) for size in sizes.split(",")])
    return first.split()[1:], found


@pytest.fixture(scope="module")
def here(model):
    import tensorflow as tf

    return tf.saved_model.load(str(model / "1")).signatures


def test_java_finds_the_documented_signatures(answers):
    assert set(answers[0]) >= {"serving_default", "translate", "entropy", "raw"}
    assert answers[1].keys() == _requests().keys()


@pytest.mark.parametrize("name", ["segmented", "translated", "unsure", "raw"])
def test_java_computes_what_python_computes(name, answers, here):
    signature, inputs = _requests()[name]
    expected = {key: value.numpy() for key, value in here[signature](**inputs).items()}
    found = answers[1][name]
    assert {key: value.dtype for key, value in found.items()} == {key: value.dtype for key, value in expected.items()}
    if "labels" in expected:
        assert_same_answers(found, expected)
    else:
        (key,) = expected
        np.testing.assert_allclose(found[key], expected[key], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dark", "image: expected values in [-1, 1]"),
        ("absent", "image: expected values in [-1, 1]"),
        ("small", "expected shape"),
        ("flat", "expected low < high for each slice"),
    ],
)
def test_bad_values_are_refused_there_too(name, words, answers):
    assert words in answers[1][name].replace("] [", " ")
