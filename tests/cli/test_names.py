"""Cases called as people call them, from scans to records, scores and reports; two spellings of a name are one case."""

import csv
import html
import json
import unicodedata

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner

from attent_tf.data.manifest import read_manifest
from attent_tf.data.reader import read_case_records
from cli.main import main
from tests.support.folders import CT_ORIENTATIONS, write_ct
from tests.support.untrained_runs import write_untrained_run

pytestmark = [pytest.mark.slow, pytest.mark.eager]

NAMES = ("Patient 01", "M\u00fcller", "患者-3", "a+b, (c) & 'd' #1=100%_")
CASES = {f"nifti-{name}" for name in NAMES}

# MALBCV's numbers to those of this library.
_CLASSES = {6: 1, 2: 2, 3: 3, 1: 4}


def _attent(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A plain data set whose images have the spelling of macOS, and its labels that of keyboards."""
    place = tmp_path_factory.mktemp("names")
    for number, name in enumerate(NAMES, start=1):
        write_ct(place / "malbcv", number, CT_ORIENTATIONS[number % len(CT_ORIENTATIONS)])
        for kind, folder, form in (("img", "images", "NFD"), ("label", "labels", "NFC")):
            image = nibabel.load(place / "malbcv" / "RawData" / "Training" / kind / f"{kind}{number:04d}.nii.gz")
            if kind == "label":
                values = np.asanyarray(image.dataobj)
                classes = sum(new * (values == old) for old, new in _CLASSES.items()).astype(np.uint8)
                image = nibabel.Nifti1Image(classes, image.affine, image.header)
            (place / "data" / folder).mkdir(parents=True, exist_ok=True)
            nibabel.save(image, place / "data" / folder / f"{unicodedata.normalize(form, name)}.nii.gz")
    write_untrained_run(place / "run")
    return place


@pytest.fixture(scope="module")
def records(place):
    words = ("--ct", place / "data", "--split", "file", "--split-file", place / "split.yaml", "--preview")
    listed = [unicodedata.normalize("NFD", f"nifti-{name}") for name in NAMES]
    (place / "split.yaml").write_text(json.dumps({"test": listed}))
    _attent("preprocess", *words, "--check")
    _attent("preprocess", *words, "--out", place / "records")
    return place / "records"


@pytest.fixture(scope="module")
def labels(place):
    """What `attent segment` makes of the images."""
    _attent("segment", "--run", place / "run", "--input", place / "data" / "images", "--out", place / "labels")
    return place / "labels"


def test_records_hold_every_name_in_one_spelling(records):
    _attent("verify", "--records", records)
    manifest = read_manifest(records)
    assert {case.case for case in manifest.select("ct", "test")} == CASES
    for case in CASES:
        assert {record.case for record in read_case_records(records, manifest, case)} == {case}
    page = html.unescape((records / "preview" / "index.html").read_text())
    assert all(f"Contact sheet of {case}" in page for case in CASES)


def test_what_segment_writes_is_called_alike(labels):
    assert {path.name for path in labels.iterdir()} == {f"{name}.nii.gz" for name in NAMES}


def test_evaluation_and_report_show_every_name(place, records):
    out = place / "evaluation"
    _attent("evaluate", "--run", place / "run", "--records", records, "--out", out)
    _check_evaluation(out, CASES)
    # As it comes from a disk of macOS.
    for path in (out / "cases").iterdir():
        path.rename(path.with_name(unicodedata.normalize("NFD", path.name)))
    _attent("report", "--evaluation", out, "--out", place / "again" / "index.html")
    _check_page(place / "again", CASES)


def test_label_maps_are_scored_whichever_spelling_either_side_has(place, labels):
    out = place / "scores"
    mac = place / "mac"
    mac.mkdir()
    for path in labels.iterdir():
        (mac / unicodedata.normalize("NFD", path.name)).write_bytes(path.read_bytes())
    words = ("--references", labels, "--images", place / "data" / "images", "--out", out, "--name", "a_b & 50% #1|c")
    _attent("evaluate", "--predictions", mac, *words)
    _check_evaluation(out, set(NAMES))
    latex = _attent("report", "--evaluation", out, "--latex")
    assert r"a\_b \& 50\% \#1\textbar{}c & " in latex
    markdown = _attent("report", "--evaluation", out, "--markdown")
    assert r"| a\_b \& 50% \#1\|c " in markdown


def _check_evaluation(out, cases):
    document = json.loads((out / "metrics.json").read_text())
    assert {case["case"] for case in document["cases"]} == cases
    assert document["failures"] == []
    with (out / "cases.csv").open(newline="", encoding="utf-8") as file:
        assert {row["case"] for row in csv.DictReader(file)} == cases
    assert {path.stem for path in (out / "cases").iterdir()} == cases
    _check_page(out / "report", cases)


def _check_page(folder, cases):
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert all(f">{html.escape(case, quote=False)}</a>" in page.replace("&#39;", "'") for case in cases)
