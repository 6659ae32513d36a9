"""What a user hears of scans that can be used and may not be what they seem: by --check and by the job, in the same words."""

import json

import click.testing
import numpy as np
import pytest

from attent_tf.data.manifest import read_manifest
from cli.main import main
from tests.support.placed_scans import STRAIGHT, TILTED, TILTED_VOXEL_ML, ct_voxels, write_placed

HU = "expected Hounsfield units (air -1000, bone above 200), found "
MOVED = STRAIGHT + np.array([[0, 0, 0, 12.0], [0] * 4, [0] * 4, [0] * 4])
MIRRORED = np.diag([-1.0, 1, 1, 1]) @ STRAIGHT


def _offset(folder):
    """HU + 1024 as unsigned numbers: the intercept was lost on the way."""
    return write_placed(folder / "images" / "a.nii.gz", (ct_voxels() + 1024).astype(np.uint16), STRAIGHT, STRAIGHT)


def _unit(folder):
    scaled = ((ct_voxels().clip(-1000, 1000) + 1000.0) / 2000).astype(np.float32)
    return write_placed(folder / "images" / "a.nii.gz", scaled, STRAIGHT, STRAIGHT)


def _moved(folder):
    return write_placed(folder / "images" / "a.nii.gz", ct_voxels(), MOVED, STRAIGHT)


def _label_moved(folder):
    write_placed(folder / "images" / "a.nii.gz", ct_voxels(), STRAIGHT, STRAIGHT)
    return write_placed(folder / "labels" / "a.nii.gz", np.zeros(ct_voxels().shape, np.uint8), STRAIGHT, MOVED)


def _preprocess(folder, *arguments, domain="ct"):
    words = ["preprocess", f"--{domain}", folder, "--split", "none", *arguments]
    return click.testing.CliRunner().invoke(main, [str(word) for word in words])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("write", "said"),
    [
        # Of the scan's own numbers -1000 and 700.
        (_offset, HU + "24 to 1724"),
        (_unit, HU + "0 to 1"),
        (_moved, "found that they place its corners up to 12 mm apart"),
        (_label_moved, "found that they place its corners up to 12 mm apart"),
    ],
)
def test_check_and_job_warn_of_the_file_in_the_same_words(tmp_path, write, said):
    path, records = write(tmp_path / "data"), tmp_path / "records"
    check = _preprocess(tmp_path / "data", "--check", "--json")
    assert check.exit_code == 0, check.output
    (warning,) = json.loads(check.stdout)["warnings"]
    assert (warning["case"], warning["domain"]) == ("nifti-a", "ct")
    assert warning["message"].startswith(f"{path}: ")
    assert said in warning["message"]
    table = _preprocess(tmp_path / "data", "--check").output.splitlines()
    assert f"Warning: {warning['message']}" in table
    assert table[-1] == "1 case, no problem found, 1 warning to look at"

    job = _preprocess(tmp_path / "data", "--out", records)
    assert job.exit_code == 0, job.output
    assert job.output.splitlines().count(f"Warning: {warning['message']}") == 1
    assert "1 warning to look at, also in warnings.jsonl" in job.output
    (kept,) = [json.loads(line) for line in (records / "warnings.jsonl").read_text().splitlines()]
    assert kept == warning | {"split": "all"}
    # What the folder holds besides is what a job without the warning writes, and can be replaced.
    assert len(read_manifest(records).cases) == 1
    assert _preprocess(tmp_path / "data", "--out", records, "--overwrite").exit_code == 0


def test_nothing_is_said_or_kept_of_a_good_scan(tmp_path):
    write_placed(tmp_path / "data" / "images" / "a.nii.gz", ct_voxels(), STRAIGHT, STRAIGHT)
    assert "arning" not in _preprocess(tmp_path / "data", "--check").output
    assert "arning" not in _preprocess(tmp_path / "data", "--out", tmp_path / "records").output
    assert not (tmp_path / "records" / "warnings.jsonl").exists()


def test_a_mirrored_form_is_a_problem_and_with_the_sform_chosen_a_warning(tmp_path):
    path = write_placed(tmp_path / "data" / "images" / "a.nii.gz", ct_voxels(), MIRRORED, STRAIGHT)
    check = _preprocess(tmp_path / "data", "--check", "--json")
    assert check.exit_code == 1
    (problem,) = json.loads(check.stdout)["problems"]
    assert (problem["check"], problem["where"]) == ("orientation", str(path))
    assert "corners up to 354 mm apart" in problem["found"]
    assert (
        f"Error: {path}: expected sform and qform that agree"
        in _preprocess(tmp_path / "data", "--out", tmp_path / "x").output
    )
    chosen = _preprocess(tmp_path / "data", "--out", tmp_path / "records", "--orientation-policy", "trust_affine")
    assert chosen.exit_code == 0, chosen.output
    assert f"Warning: {path}: " in chosen.output
    (case,) = read_manifest(tmp_path / "records").cases
    np.testing.assert_allclose(case.geometry.affine, MIRRORED)


@pytest.mark.slow
@pytest.mark.parametrize("domain", ["ct", "mri"])
@pytest.mark.parametrize(
    "rule", ["window:-160:240", "percentile:0:100", "zscore:3:body@training", "percentile:1:99@training"]
)
def test_an_empty_scan_fails_the_check_as_it_fails_the_job(tmp_path, domain, rule):
    write_placed(tmp_path / "data" / "images" / "a.nii.gz", ct_voxels(), STRAIGHT, STRAIGHT)
    empty = write_placed(tmp_path / "data" / "images" / "b.nii.gz", np.zeros((60, 50, 6), np.int16), STRAIGHT, STRAIGHT)
    words = (f"--{domain}-intensity", rule)
    (problem,) = json.loads(_preprocess(tmp_path / "data", "--check", "--json", *words, domain=domain).stdout)[
        "problems"
    ]
    assert (problem["case"], problem["check"], problem["where"]) == ("nifti-b", "content", str(empty))
    line = f"{empty}: expected a scan with contrast, found 0 in all voxels; check the file"
    stopped = _preprocess(tmp_path / "data", "--out", tmp_path / "no", *words, domain=domain)
    assert f"Error: {line}" in stopped.output.splitlines()
    job = _preprocess(tmp_path / "data", "--out", tmp_path / "out", "--on-error", "skip", *words, domain=domain)
    assert job.exit_code == 0, job.output
    (rejected,) = [json.loads(text) for text in (tmp_path / "out" / "rejected.jsonl").read_text().splitlines()]
    assert (rejected["case"], rejected["message"], rejected["where"]) == ("nifti-b", line, str(empty))


def test_statistics_of_training_cases_that_cannot_be_pooled_are_told_by_both(tmp_path):
    for name in "ab":
        write_placed(tmp_path / "data" / "images" / f"{name}.nii.gz", ct_voxels(ord(name)), STRAIGHT, STRAIGHT)
    # Half of the voxels and more are air of one value.
    words = ("--ct-intensity", "percentile:5:30@training")
    check = _preprocess(tmp_path / "data", "--check", "--json", *words)
    texts = [f"{problem['where']}: expected {problem['expected']}" for problem in json.loads(check.stdout)["problems"]]
    assert "the training cases of ct: expected a scan with contrast" in texts
    assert (
        "the training cases of ct: expected a scan with contrast"
        in _preprocess(tmp_path / "data", "--out", tmp_path / "no", *words).output
    )


def test_one_scan_in_two_splits_is_told_by_the_check_however_it_is_packed(tmp_path):
    """The bytes of the files differ; the voxels are the same."""
    for name in ("p1.nii.gz", "p2.nii", "p3.nii"):
        write_placed(tmp_path / "data" / "images" / name, ct_voxels(name == "p3.nii"), STRAIGHT, STRAIGHT)
    (tmp_path / "split.yaml").write_text("test: [nifti-p1]\n")
    words = ["preprocess", "--ct", tmp_path / "data", "--split", "file", "--split-file", tmp_path / "split.yaml"]
    run = click.testing.CliRunner().invoke
    check = run(main, [str(word) for word in (*words, "--check", "--json")])
    (problem,) = json.loads(check.stdout)["problems"]
    assert problem["check"] == "split"
    assert "nifti-p1 (test) and nifti-p2 (train) are the same scan" in problem["found"]
    job = run(main, [str(word) for word in (*words, "--out", tmp_path / "no")])
    assert "nifti-p1 (test) and nifti-p2 (train) are the same scan" in job.output


def test_volumes_of_a_tilted_scan_are_those_of_its_slanted_voxels(tmp_path):
    """Pixels of 6 mm are the scan's own."""
    labels = np.zeros(ct_voxels().shape, np.uint8)
    labels[36:46, 20:36, 1:5] = 1
    write_placed(tmp_path / "data" / "images" / "a.nii.gz", ct_voxels(), TILTED, None, (1, 0))
    write_placed(tmp_path / "data" / "labels" / "a.nii.gz", labels, TILTED, None, (1, 0))
    out = tmp_path / "records"
    result = _preprocess(tmp_path / "data", "--out", out, "--pixel-mm", 6, "--preview")
    assert result.exit_code == 0, result.output
    info = click.testing.CliRunner().invoke(main, ["info", "--records", str(out), "--json"])
    (case,) = json.loads(info.stdout)["cases"]
    assert case["organs_ml"]["liver"] == pytest.approx(640 * TILTED_VOXEL_ML)
