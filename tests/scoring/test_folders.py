"""Folders of label maps from end to end: what is scored, what is listed, and that nothing is dropped."""

import csv
import io
import json
import math

import numpy as np
import pytest

from attent_tf.errors import InputError
from attent_tf.metrics.protocols import DEFAULT_PROTOCOL, find_protocol
from attent_tf.postprocessing import Postprocessing
from attent_tf.scoring import load_label_map, score_folders
from attent_tf.scoring.label_map import label_map_from
from tests.support.abdomen import ABDOMEN, ORGANS
from tests.support.label_folders import AFFINE, labels, write, write_pair
from tests.support.small_runs import SilentObserver


@pytest.fixture
def score(tmp_path):
    """Scores the folders in `tmp_path` into the evaluation `name`."""

    def run(name="out", label_map=None, **options):
        folders = (tmp_path / "predictions", tmp_path / "references")
        return score_folders(
            *folders, tmp_path / name, SilentObserver(), label_map or load_label_map(None, ABDOMEN), **options
        )

    return run


def _case(evaluation, name):
    return next(case for case in evaluation.cases if case.case == name)


def test_scores_are_those_of_the_arrays_whatever_the_axis_order(tmp_path, score):
    for name, codes in (("a", "RAS"), ("b", "LPS"), ("c", "SPL"), ("d", "ASR")):
        write_pair(tmp_path, name, shift=1, codes=codes)
    evaluation = score()
    (expected,) = find_protocol(DEFAULT_PROTOCOL).score(labels(1), labels(), (2.0, 1.5, 4.0), ABDOMEN.structure_names)
    for case in evaluation.cases:
        # Boxes of 4 voxels that lie one voxel apart share 3 of them.
        assert case.scores["liver"]["dice"] == 75.0
        for organ in ORGANS:
            assert case.scores[organ] == pytest.approx(expected[organ], nan_ok=True)
        assert case.spacing_mm == (4.0, 1.5, 2.0)
        assert case.volume_ml["spleen"]["reference"] == pytest.approx(4 * 4 * 3 * 12 / 1000)
    assert evaluation.failures == ()
    assert evaluation.header["method"] == "predictions"


def _empty(path):
    path.write_bytes(b"")


def _cut(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _with_nan(path):
    array = labels().astype(np.float32)
    array[0, 0, 0] = np.nan
    write(path, array)


_MOVED = AFFINE + np.array([[0, 0, 0, 3.0], [0] * 4, [0] * 4, [0] * 4])
_FAULTS = {
    "missing": (lambda path: path.unlink(), "of case bad, found none"),
    "float": (
        lambda path: write(path, labels() * 0.4, dtype=np.float32),
        "expected whole numbers as labels, found 0.4",
    ),
    "nan": (_with_nan, "expected whole numbers as labels, found nan"),
    "unknown": (lambda path: write(path, labels() * 3), "expected labels out of 0, 1, 2, 3, 4, found 6, 9, 12"),
    "empty": (_empty, "expected a NIfTI file, found an empty file"),
    "cut": (_cut, "expected a whole NIfTI file, found that reading failed"),
    "text": (lambda path: path.write_text("hello"), "bad.nii.gz: expected a NIfTI file, found other content"),
}
_GRIDS = {
    "shape": (lambda path: write(path, labels()[:-1]), "expected the shape (20, 16, 8)"),
    "affine": (lambda path: write(path, labels(), _MOVED), "found corners up to 3 mm away"),
}


@pytest.mark.parametrize("fault", [*_FAULTS, *_GRIDS])
def test_an_unusable_prediction_counts_as_empty_and_is_listed_in_one_line(tmp_path, score, fault):
    spoil, message = (_FAULTS | _GRIDS)[fault]
    for name in ("good", "bad"):
        write_pair(tmp_path, name)
    spoil(tmp_path / "predictions" / "bad.nii.gz")
    evaluation = score()
    (failure,) = evaluation.failures
    assert (failure.case, failure.side, failure.counts_as) == ("bad", "prediction", "an empty prediction")
    assert message in failure.problem
    assert len(failure.problem.splitlines()) == 1
    assert (_case(evaluation, "bad").scores["liver"]["dice"], _case(evaluation, "good").scores["liver"]["dice"]) == (
        0.0,
        100.0,
    )
    assert _case(evaluation, "bad").scores["liver"]["assd_mm"] == math.inf
    assert _case(evaluation, "bad").states == dict.fromkeys(ORGANS, "missed")
    assert evaluation.structures["spleen"]["dice"]["mean"] == 50.0
    document = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert [entry["case"] for entry in document["failures"]] == ["bad"]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "cases.csv").read_text())))
    assert [row["failure"] != "" for row in rows] == [True] * 4 + [False] * 4


@pytest.mark.parametrize("fault", _FAULTS)
def test_a_case_with_an_unusable_reference_is_listed_and_not_scored(tmp_path, score, fault):
    spoil, message = _FAULTS[fault]
    for name in ("good", "bad"):
        write_pair(tmp_path, name, shift=1)
    spoil(tmp_path / "references" / "bad.nii.gz")
    evaluation = score()
    (failure,) = evaluation.failures
    assert (failure.case, failure.side, failure.counts_as) == ("bad", "reference", "not scored")
    assert message in failure.problem
    assert _case(evaluation, "bad").labelled is False
    assert math.isnan(_case(evaluation, "bad").scores["liver"]["dice"])
    assert evaluation.structures["liver"]["dice"]["mean"] == 75.0
    assert evaluation.structures["liver"]["dice"]["n"] == 1


def test_a_case_that_is_unusable_on_both_sides_is_still_listed(tmp_path, score):
    for name in ("good", "bad"):
        write_pair(tmp_path, name)
    for side in ("predictions", "references"):
        _empty(tmp_path / side / "bad.nii.gz")
    evaluation = score()
    assert [failure.side for failure in evaluation.failures] == ["reference", "prediction"]
    assert {failure.counts_as for failure in evaluation.failures} == {"not scored"}
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "cases.csv").read_text())))
    assert [row["case"] for row in rows] == ["good"] * 4 + ["bad"]
    assert " | " in rows[-1]["failure"]


def test_nothing_that_can_be_read_is_an_error_and_leaves_nothing(tmp_path, score):
    write_pair(tmp_path, "bad")
    for side in ("predictions", "references"):
        _empty(tmp_path / side / "bad.nii.gz")
    with pytest.raises(InputError, match=r"no case can be read \(2 problems\); the first: .*references/bad.nii.gz"):
        score()
    assert not (tmp_path / "out").exists()


def test_organs_that_are_missed_spurious_or_absent_are_listed(tmp_path, score):
    write(tmp_path / "predictions" / "a.nii.gz", labels(without=(1, 4)))
    write(tmp_path / "references" / "a.nii.gz", labels(without=(2, 4)))
    evaluation = score()
    assert evaluation.cases[0].states == {"liver": "missed", "right_kidney": "spurious", "spleen": "absent"}
    assert evaluation.structures["spleen"]["dice"]["n_undefined"] == 1
    assert (evaluation.structures["liver"]["dice"]["mean"], evaluation.structures["right_kidney"]["dice"]["mean"]) == (
        0.0,
        0.0,
    )


@pytest.mark.parametrize("protocol", [DEFAULT_PROTOCOL, "released_2d"])
def test_organs_that_one_side_does_not_name_are_not_compared(tmp_path, score, protocol):
    write_pair(tmp_path, "a")
    content = {"predictions": {"label_values": {"liver": 1}, "last_label": 4}}
    evaluation = score(label_map=label_map_from(content, ABDOMEN, "map.yaml"), protocol=protocol)
    assert evaluation.header["organs_compared"] == ["liver"]
    assert evaluation.average["dice"] == 100.0
    assert evaluation.structures["spleen"]["dice"]["n"] == 0
    assert evaluation.cases[0].states["spleen"] == "not compared"
    assert "right_kidney, left_kidney, spleen" in evaluation.header["warnings"][0]


def test_files_lie_on_the_grid_of_their_scan_already(tmp_path, score):
    write_pair(tmp_path, "a", shift=1, codes="LPS")
    native, record = score("native", protocol="native_3d"), score("record")
    for metric in ("dice", "assd_mm"):
        assert native.cases[0].scores["liver"][metric] == record.cases[0].scores["liver"][metric]
    assert math.isnan(native.cases[0].scores["liver"]["assd_voxel"])


def test_post_processing_is_done_when_asked_for_and_named(tmp_path, score):
    write_pair(tmp_path, "a")
    crumbs = labels()
    crumbs[19, 15, 7] = 1
    write(tmp_path / "predictions" / "a.nii.gz", crumbs)
    plain, cleaned = score("plain"), score("cleaned", postprocessing=Postprocessing(largest_component=True))
    assert plain.cases[0].scores["liver"]["dice"] == pytest.approx(100 * 96 / 97)
    assert cleaned.cases[0].scores["liver"]["dice"] == 100.0
    assert not any(plain.header["postprocessing"].values())
    assert cleaned.header["postprocessing"]["largest_component"]
    assert cleaned.unprocessed.structures["liver"]["dice"]["mean"] == plain.structures["liver"]["dice"]["mean"]
    assert plain.header["protocol_text"] != cleaned.header["protocol_text"]


def test_a_shipped_description_finds_its_folder(tmp_path, score):
    write_pair(tmp_path, "0001")
    theirs = np.array([0, 6, 2, 3, 1], np.uint8)[labels()]
    write(tmp_path / "references" / "RawData" / "Training" / "label" / "label0001.nii.gz", theirs)
    evaluation = score(label_map=label_map_from({"references": "malbcv"}, ABDOMEN, "map.yaml"))
    assert evaluation.average["dice"] == 100.0


def test_the_same_folders_give_the_same_bytes(tmp_path, score):
    write_pair(tmp_path, "a", shift=1)
    write_pair(tmp_path, "b")
    (tmp_path / "predictions" / "b.nii.gz").unlink()
    for name in ("first", "second"):
        score(name)
    for file in ("metrics.json", "cases.csv", "cases/a.npz"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


def test_the_report_shows_images_and_a_missing_one_as_black(tmp_path, score):
    for name in ("a", "b"):
        write_pair(tmp_path, name, shift=1)
    scan = (labels() * 100 + np.arange(8)).astype(np.int16)
    write(tmp_path / "images" / "a_0000.nii.gz", scan, codes="LPS")
    label_map = label_map_from({"images": "{case}_0000.nii.gz"}, ABDOMEN, "map.yaml")
    evaluation = score(label_map=label_map, images=tmp_path / "images")
    assert "a" in (tmp_path / "out" / "report" / "index.html").read_text()
    assert len(evaluation.header["warnings"]) == 1
    assert "the image of case b, found none" in evaluation.header["warnings"][0]
    pictures = evaluation.pictures("a")
    assert set(pictures) == {"image", "prediction", "reference", "spacing_mm"}
    # The spleen has the highest numbers, and lies where the reference says.
    assert pictures["image"][pictures["reference"] == 4].min() > pictures["image"][pictures["reference"] == 1].max()
    assert not evaluation.pictures("b")["image"].any()


def test_without_images_the_report_shows_label_maps_and_lists_failures(tmp_path, score):
    for name in ("a", "b"):
        write_pair(tmp_path, name)
    (tmp_path / "predictions" / "b.nii.gz").unlink()
    evaluation = score()
    page = (tmp_path / "out" / "report" / "index.html").read_text()
    assert "expected the prediction of case b, found none" in page
    assert set(evaluation.pictures("a")) == {"prediction", "reference", "spacing_mm"}


def test_images_that_fit_no_pattern_are_refused(tmp_path, score):
    write_pair(tmp_path, "a")
    (tmp_path / "images").mkdir()
    with pytest.raises(InputError, match=r"images: expected images called {case}.nii.gz, found none"):
        score(images=tmp_path / "images")
