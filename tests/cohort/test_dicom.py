"""A cohort of DICOM folders: each series once, what cannot be read set aside by its reason."""

import json

import pytest

from tests.support.dicom_folders import UID, body, enhanced_dataset, heights, write_enhanced, write_series


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two series in one folder, an enhanced object, a stray file that sorts first, and a folder of garbage."""
    root = tmp_path_factory.mktemp("cohort_dicom")
    write_series(root / "two", body(4, 1), series="1")
    write_series(root / "two", body(6, 2), heights(6, 2.5), "2", first=11)
    write_enhanced(root / "enhanced" / "I1", enhanced_dataset(body(4, 3), heights(4)))
    write_series(root / "stray", body(4, 4), name="IM{:04d}")
    (root / "stray" / "00_note").write_bytes(b"x" * 200)
    (root / "garbage").mkdir()
    (root / "garbage" / "IM0001.dcm").write_bytes(b"x" * 200)
    return root


def _list(folders, *rows):
    path = folders / "list.csv"
    path.write_text("\n".join(["path,case,series", *rows]) + "\n")
    return path


@pytest.mark.slow
def test_each_scan_is_done_or_set_aside_by_its_reason(work, folders, tmp_path):
    listed = _list(folders, "two,early,1", f"two,late,{UID}2", "two,both,", "enhanced,,", "stray,,", "garbage,,")
    out = tmp_path / "out"
    job = work(listed, out)
    assert (job.outcome.done, job.outcome.skipped) == (4, 0)
    reasons = {failed["case"]: failed["reason"] for failed in job.outcome.failed}
    assert sorted(reasons) == ["both", "garbage"]
    assert "found 2 series" in reasons["both"]
    assert "IM0001.dcm: expected a DICOM file" in reasons["garbage"]
    sidecars = {case: json.loads((out / f"{case}.json").read_text()) for case in ("early", "late", "enhanced", "stray")}
    shapes = {case: sidecar["shape"][2] for case, sidecar in sidecars.items()}
    assert shapes == {"early": 4, "late": 6, "enhanced": 4, "stray": 4}
    assert (sidecars["early"]["input"]["series"], sidecars["late"]["input"]["series"]) == ("1", f"{UID}2")
    assert "series" not in sidecars["stray"]["input"]
    assert "left out 1 file" in sidecars["stray"]["warnings"][0]
    # Nothing is left to do, but for what failed; a case that is to be of another series is done anew.
    assert work(listed, out).outcome.skipped == 4
    again = work(_list(folders, "two,early,2", "enhanced,,"), out)
    assert (again.outcome.done, again.outcome.skipped) == (2, 1)
    assert json.loads((out / "early.json").read_text())["shape"][2] == 6
