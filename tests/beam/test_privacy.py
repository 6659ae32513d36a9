"""What a DICOM header says of the patient stays there: nothing of it reaches any output."""

import shutil

import click.testing
import pydicom
import pytest

from cli.main import main

PLANTED = {
    "PatientName": "Plantedname^Zelda",
    "PatientID": "PLANTEDID77",
    "OtherPatientNames": "Plantedother^Zora",
    "PatientBirthDate": "19010203",
    "PatientAddress": "Plantedstreet 5",
    "StudyDate": "19990908",
    "SeriesDate": "19990907",
    "AcquisitionDate": "19990906",
    "ContentDate": "19990905",
    "StudyID": "PLANTEDSTUDY",
    "AccessionNumber": "PLANTEDACC",
    "InstitutionName": "Plantedhospital",
    "ReferringPhysicianName": "Planteddoctor^A",
    "StudyDescription": "Planteddescription",
    "SeriesDescription": "Plantedseries",
    "PatientComments": "Plantedcomment",
}
TRACES = [
    word.lower().encode() for value in PLANTED.values() for word in value.replace("^", " ").split() if len(word) > 3
]


@pytest.fixture
def root(data, tmp_path):
    """A copy of the MR data whose headers name a patient."""
    root = tmp_path / "chaos"
    shutil.copytree(data / "chaos", root)
    for path in root.rglob("*.dcm"):
        scan = pydicom.dcmread(path)
        for keyword, value in PLANTED.items():
            setattr(scan, keyword, value)
        scan.save_as(path)
    return root


def _attent(*arguments):
    return click.testing.CliRunner().invoke(main, [str(word) for word in arguments])


def _traces_in(content: bytes) -> list[bytes]:
    return [trace for trace in TRACES if trace in content.lower()]


def _traces_below(folder) -> dict:
    found = {path: _traces_in(path.read_bytes()) for path in folder.rglob("*") if path.is_file()}
    return {path: traces for path, traces in found.items() if traces}


def test_the_traces_are_planted(root):
    assert len(_traces_below(root)) == 12


@pytest.mark.slow
def test_no_output_names_the_patient(root, tmp_path, caplog):
    out = tmp_path / "out" / "records"
    made = _attent("preprocess", "--mri", root, "--out", out, "--preview", "--verbose")
    assert made.exit_code == 0, made.output
    assert len(list(out.rglob("*.png"))) == 2
    shown = [made.output, caplog.text]
    for command in (("verify",), ("info",), ("info", "--json"), ("info", "--cases")):
        shown.append(_attent(*command, "--records", out).output)
    assert not _traces_in("".join(shown).encode())
    assert not _traces_below(out.parent)


def _no_pixels(scan):
    del scan.PixelData


def _no_position(scan):
    del scan.ImagePositionPatient


def _other_size(scan):
    scan.Rows = 17


def _other_modality(scan):
    scan.Modality = "CT"


def _bad_number(scan):
    scan.PixelSpacing = [0, 0]


@pytest.mark.slow
@pytest.mark.parametrize("damage", [_no_pixels, _no_position, _other_size, _other_modality, _bad_number])
def test_no_complaint_names_the_patient(root, tmp_path, damage):
    path = sorted(root.rglob("*.dcm"))[3]
    scan = pydicom.dcmread(path)
    damage(scan)
    scan.save_as(path)
    out = tmp_path / "out" / "records"
    failed = _attent("preprocess", "--mri", root, "--out", out)
    checked = _attent("preprocess", "--mri", root, "--check", "--json")
    skipped = _attent("preprocess", "--mri", root, "--out", out, "--split", "none", "--on-error", "skip", "--preview")
    assert (failed.exit_code, checked.exit_code, skipped.exit_code) == (1, 1, 0)
    assert path.stem in failed.output
    assert not _traces_in((failed.output + checked.output + skipped.output).encode())
    assert not _traces_below(out.parent)


@pytest.mark.slow
def test_a_file_cut_within_the_header_is_refused_without_its_content(root, tmp_path):
    path = sorted(root.rglob("*.dcm"))[3]
    content = path.read_bytes()
    for length in range(200, 1400, 7):
        path.write_bytes(content[:length])
        failed = _attent("preprocess", "--mri", root, "--check")
        assert failed.exit_code == 1
        assert not _traces_in(failed.output.encode()), length
