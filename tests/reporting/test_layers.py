"""What the viewer is given is what was evaluated: labels to the last voxel, pictures within a budget."""

import base64
import dataclasses
import io
import json
import zlib

import numpy as np
import pytest
from PIL import Image

from attent_tf.evaluation.folder import read_evaluation
from attent_tf.reporting.layers import QUALITIES, read_layers
from attent_tf.reporting.pictures import heat_table
from attent_tf.reporting.viewer import make_viewers


@pytest.fixture
def entry(make_evaluation):
    return lambda *args, **options: ("AttENT", read_evaluation(make_evaluation(*args, **options).folder))


def unpacked_labels(text, layers):
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(layers.shape)


def unpacked_picture(text):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")).astype(int)


def test_labels_come_back_exactly(entry):
    layers = read_layers("case-2", [entry()])
    content = json.loads(json.dumps(layers.encoded(QUALITIES[-1])))
    for text, labels in (
        (content["reference"], layers.shared["reference"]),
        (content["methods"][0]["prediction"], layers.methods[0]["prediction"]),
    ):
        assert labels.any()
        np.testing.assert_array_equal(unpacked_labels(text, layers), labels)


def test_pictures_come_back_nearly(entry):
    layers = read_layers("case-1", [entry()])
    content = layers.encoded(QUALITIES[0])
    assert len(content["image"]) == layers.shape[0]
    for text, plane in zip(content["image"], layers.shared["image"], strict=True):
        assert np.abs(unpacked_picture(text)[..., 0] - plane).mean() < 4
    entropy = layers.methods[0]["entropy"][3]
    shown = unpacked_picture(content["methods"][0]["entropy"][3])
    # Colour is stored at half the resolution, so only the inside of a region is sure.
    inside = np.s_[13:28, 20:22]
    assert np.abs(shown - heat_table()[entropy])[inside].mean() < 12


def test_labels_in_the_air_are_not_cut_off(make_case, entry):
    case = make_case("case-1")
    case.prediction[0, 1, 2] = 1
    layers = read_layers("case-1", [entry(cases=[case])])
    assert np.count_nonzero(layers.methods[0]["prediction"]) == np.count_nonzero(case.prediction)
    assert layers.shape[1] < 48


def test_an_evaluation_without_pictures_shows_its_labels(entry):
    label, evaluation = entry()
    path = evaluation.folder / "cases" / "case-1.npz"
    kept = {name: array for name, array in evaluation.pictures("case-1").items() if name not in ("image", "entropy")}
    np.savez(path, **kept)
    layers = read_layers("case-1", [(label, evaluation)])
    assert set(layers.encoded(50)) == {"reference", "methods"}


def test_a_method_without_the_case_has_no_layers_of_it(entry, make_case):
    entries = [entry(), entry("pixel", cases=[make_case("case-1")])]
    assert read_layers("case-2", entries).methods[1] is None
    (viewer,) = make_viewers([("here", entries, 0)], 10**7)
    assert json.loads(viewer.index)["cases"][0]["scores"][1] is None
    assert json.loads(viewer.cases[0])["methods"][1] is None


def test_estimate_is_near_the_truth(entry):
    layers = read_layers("case-1", [entry()])
    for quality, estimated in layers.estimated_bytes().items():
        assert 0.5 < estimated / len(json.dumps(layers.encoded(quality))) < 1.5


def test_quality_gives_way_before_cases_do_and_the_worst_case_stays(entry, make_case):
    rng = np.random.default_rng(0)
    cases = [
        dataclasses.replace(case, image=rng.uniform(-1, 1, case.image.shape).astype(np.float32))
        for case in (make_case("best"), make_case("worst", shift=9), make_case("middle", shift=3))
    ]
    entries = [entry(cases=cases)]

    def viewer(budget):
        (made,) = make_viewers([("here", entries, 0)], budget)
        return made

    full = viewer(10**7)
    size = sum(map(len, full.cases))
    assert full.names == ("worst", "middle", "best")
    smaller = viewer(int(0.8 * size))
    assert smaller.names == full.names
    assert sum(map(len, smaller.cases)) < 0.85 * size
    assert viewer(1).names == ("worst",)
    assert viewer(1).left_out == ("middle", "best")


def test_json_can_not_close_its_script(entry):
    _, evaluation = entry()
    (viewer,) = make_viewers([("here", [("</script><b>", evaluation)], 0)], 10**7)
    assert "<" not in viewer.index
    assert json.loads(viewer.index)["methods"] == ["</script><b>"]
