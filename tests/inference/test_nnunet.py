"""A data set for nnU-Net: what it holds, what is left out, and that nnU-Net's own check accepts it."""

import dataclasses
import importlib.util
import json
import shutil

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner

import attent_tf as at
from attent_tf.data.manifest import read_manifest
from attent_tf.datasets import find_cases, read_case
from attent_tf.errors import RunError
from attent_tf.inference.nnunet import channel_name, dataset_json, write_nnunet
from attent_tf.inference.original_scans import OriginalScans
from attent_tf.methods import get_method
from attent_tf.progress import SilentObserver
from attent_tf.runs import load_run
from attent_tf.signs import GREEN, RED, Sign, Signs
from attent_tf.tasks import Domain, IntensityRule
from attent_tf.volumes import PrepareOptions
from cli.main import main
from tests.support.abdomen import ABDOMEN
from tests.support.untrained_runs import write_untrained_run

pytestmark = pytest.mark.slow

LOW, HIGH = -160.0, 240.0


@pytest.fixture(scope="module")
def place(small_data, tmp_path_factory):
    """A folder with `chaos`, `malbcv`, records of both, an untrained run and the data set that the command made of it."""
    root = tmp_path_factory.mktemp("nnunet")
    shutil.copytree(small_data, root, dirs_exist_ok=True)
    options = PrepareOptions.from_json(read_manifest(root / "records").options["preparation"])
    write_untrained_run(root / "run", options=options)
    return root


def _signs(verdict):
    return Signs(("case",), 1, (Sign("cycle", "Agreement around the cycle", 0.25, verdict, "", ""),), ())


@pytest.fixture(scope="module")
def written(place):
    """The data set in which the second target scan passes and the first does not; and what the command said."""
    verdicts = iter([RED, GREEN])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("attent_tf.inference.signs.SignTaker.signs", lambda _: _signs(next(verdicts)))
        result = _convert(place, place / "Dataset501_Abdomen")
    assert result.exit_code == 0, result.output
    (place / "said").write_text(result.output)
    return place / "Dataset501_Abdomen"


def _convert(place, out, *more):
    words = ("--run", place / "run", "--records", place / "records", "--domain", f"mri={place / 'chaos'}")
    return CliRunner().invoke(
        main, ["convert", *map(str, words), "--domain", f"ct={place / 'malbcv'}", *more, "--out", str(out)]
    )


def _read(path):
    image = nibabel.load(path)
    return np.asanyarray(image.dataobj), image.affine


def _json(folder, name):
    return json.loads((folder / name).read_text())


def test_it_meets_the_conditions_that_nnunet_checks(written):
    content = _json(written, "dataset.json")
    assert content["channel_names"] == {"0": "CT"}
    assert list(content["labels"].values()) == [0, 1, 2, 3, 4]
    assert tuple(content["labels"]) == ABDOMEN.class_names
    assert content["file_ending"] == ".nii.gz"
    names = {path.name.removesuffix("_0000.nii.gz") for path in (written / "imagesTr").iterdir()}
    assert names == {path.name.removesuffix(".nii.gz") for path in (written / "labelsTr").iterdir()}
    assert len(names) == content["numTraining"] == 2
    for name in names:
        image, affine = _read(written / "imagesTr" / f"{name}_0000.nii.gz")
        labels, label_affine = _read(written / "labelsTr" / f"{name}.nii.gz")
        assert image.shape == labels.shape
        assert np.isfinite(image).all()
        np.testing.assert_array_equal(affine, label_affine)
        assert set(np.unique(labels)) <= set(range(5))


def test_each_case_says_where_it_comes_from(written, place):
    origins = _json(written, "origins.json")
    manifest = {case.case: case for case in read_manifest(place / "records").cases}
    kinds = {case["case"]: case["is"] for case in origins["cases"]}
    expected = {("mri", "train"): "translated source", ("ct", "train"): "pseudo-labelled target"}
    expected[("ct", "test")] = "target for testing"
    # The source's test case has no place here.
    left_out = {case["case"] for case in origins["left_out"]}
    assert kinds == {
        name: expected[case.domain, case.split]
        for name, case in manifest.items()
        if (case.domain, case.split) in expected and name not in left_out
    }
    for entry in origins["cases"]:
        assert entry["patient"] == manifest[entry["case"]].patient
        assert (written / entry["image"]).is_file()
        assert ("labels" in entry) == (entry["is"] != "target for testing")
    listed = {case["image"] for case in origins["cases"]} | {
        case["labels"] for case in origins["cases"] if "labels" in case
    }
    assert listed == {str(path.relative_to(written)) for path in written.rglob("*.nii.gz")}


def test_source_scans_have_their_own_grid_and_labels_and_the_targets_range(written, place):
    files = {case.case: case for case in find_cases(place / "chaos", ABDOMEN, "mri")}
    (name,) = (case["case"] for case in _json(written, "origins.json")["cases"] if case["is"] == "translated source")
    volume = read_case(files[name])
    image, affine = _read(written / "imagesTr" / f"{name}_0000.nii.gz")
    np.testing.assert_allclose(affine, volume.affine, atol=1e-4)
    np.testing.assert_array_equal(_read(written / "labelsTr" / f"{name}.nii.gz")[0], volume.labels)
    assert LOW <= image.min() < image.max() <= HIGH


def test_target_scans_are_cut_at_the_window_and_have_the_runs_labels(written, place):
    run, files = load_run(place / "run"), {case.case: case for case in find_cases(place / "malbcv", ABDOMEN, "ct")}
    for entry in _json(written, "origins.json")["cases"]:
        if entry["domain"] != "ct":
            continue
        stored, affine = _read(files[entry["case"]].images[0])
        image, found_affine = _read(written / entry["image"])
        np.testing.assert_array_equal(image, np.clip(stored, LOW, HIGH))
        np.testing.assert_array_equal(found_affine, affine)
        if "labels" in entry:
            scan = read_case(files[entry["case"]])
            expected = at.segment_volume(at.load_chain(run), scan.voxels, scan.affine)
            np.testing.assert_array_equal(_read(written / entry["labels"])[0], expected)


def test_a_scan_that_does_not_pass_is_left_out_and_named(written, place):
    first, _ = (case.case for case in read_manifest(place / "records").select("ct", "train"))
    assert f"Left out: {first}: agreement around the cycle 0.25 is red\n" in (place / "said").read_text()
    (left_out,) = _json(written, "origins.json")["left_out"]
    assert left_out["case"] == first
    assert left_out["signs"] == {"cycle": {"value": 0.25, "verdict": "red"}}
    assert not list(written.rglob(f"{first}*"))


def test_nothing_is_written_where_no_case_is_left_or_the_folder_is_taken(place, tmp_path):
    """Random weights find no organs that any sign would pass."""
    words = [
        "convert",
        "--run",
        str(place / "run"),
        "--records",
        str(place / "records"),
        "--out",
        str(tmp_path / "out"),
    ]
    result = CliRunner().invoke(main, [*words, "--domain", f"ct={place / 'malbcv'}"])
    assert result.exit_code == 1
    assert "expected a case to train on, found none that passes" in result.output
    assert not list(tmp_path.iterdir())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    result = _convert(place, tmp_path / "out")
    assert result.exit_code == 1
    assert "expected a folder that does not exist yet" in result.output
    scans = {"mri": OriginalScans(str(place / "chaos"))}
    run = dataclasses.replace(load_run(place / "run"), method=get_method("adaptseg"))
    with pytest.raises(RunError, match="expected a method that translates mri to ct, found adaptseg"):
        write_nnunet(run, place / "records", scans, tmp_path / "other", SilentObserver())


def test_it_can_be_read_again(written):
    cases = find_cases(written, ABDOMEN, "ct")
    assert len(cases) == 2
    assert all(case.case.startswith("nnunet-ct-") and case.labels for case in cases)


@pytest.mark.parametrize(
    ("kind", "title", "rule", "expected"),
    [
        ("ct", "Abdomen", IntensityRule("window", -160, 240), "CT"),
        ("ct", "CT", IntensityRule("percentile", 1, 99), "zscore"),
        ("mri", "T2", IntensityRule("window", 0, 500), "T2"),
        ("other", "noNorm", IntensityRule("percentile", 1, 99), "zscore"),
    ],
)
def test_only_hounsfield_units_are_called_ct(kind, title, rule, expected):
    assert channel_name(Domain("a", kind, title, rule), rule) == expected


def test_scans_with_axes_at_odd_angles_are_left_to_a_reader_that_takes_them(place):
    run = load_run(place / "run")
    assert dataset_json(run, "a", 1, sheared=True)["overwrite_image_reader_writer"] == "NibabelIO"
    assert "overwrite_image_reader_writer" not in dataset_json(run, "a", 1, sheared=False)


@pytest.mark.skipif(importlib.util.find_spec("nnunetv2") is None, reason="nnunetv2 is not installed")
def test_nnunets_own_check_accepts_it(written):
    from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity

    verify_dataset_integrity(str(written), 1)
