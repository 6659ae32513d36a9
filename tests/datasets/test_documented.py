"""The descriptions in docs/datasets.md, each on a folder as its data set lays it out."""

import re
import shlex
from pathlib import Path

import numpy as np
import pydicom
import pytest
import yaml
from click.testing import CliRunner

from attent_tf.data.verify import verify
from attent_tf.datasets import find_cases, read_case
from attent_tf.tasks import IntensityRule, load_task
from attent_tf.volumes import read_nifti_labels
from cli.main import main
from tests.docs.test_commands import commands
from tests.support.abdomen import ABDOMEN, LEFT_KIDNEY, LIVER, RIGHT_KIDNEY, SPLEEN
from tests.support.folders import write_ct, write_mr

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "datasets.md"


@pytest.fixture
def documented(tmp_path):
    """Writes the descriptions of the document as files, by their names."""
    texts = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    paths = {}
    for text in texts:
        content = yaml.safe_load(text)
        if "structures" in content:
            continue
        name = content["name"]
        paths[name] = tmp_path / f"{name}.yaml"
        paths[name].write_text(text, encoding="utf-8")
    assert paths.keys() == {"amos-ct", "totalseg", "hospital"}
    return paths


def _ct_case(folder, number):
    write_ct(folder, number, "LAS")
    training = folder / "RawData" / "Training"
    return training / "img" / f"img{number:04d}.nii.gz", training / "label" / f"label{number:04d}.nii.gz"


def test_amos_is_parted_by_number(documented, tmp_path):
    for part in ("imagesTr", "labelsTr"):
        (tmp_path / "amos22" / part).mkdir(parents=True)
    for number in (1, 500, 501, 507):
        image, labels = _ct_case(tmp_path / "made", number)
        image.rename(tmp_path / "amos22" / "imagesTr" / f"amos_{number:04d}.nii.gz")
        labels.rename(tmp_path / "amos22" / "labelsTr" / f"amos_{number:04d}.nii.gz")
    cases = find_cases(documented["amos-ct"], ABDOMEN, "ct")
    assert [files.case for files in cases] == ["amos-ct-0001", "amos-ct-0500"]
    assert set(np.unique(read_case(cases[0]).labels)) == {0, LIVER, RIGHT_KIDNEY, LEFT_KIDNEY, SPLEEN}
    text = documented["amos-ct"].read_text().replace("amos-ct", "amos-mri").replace("modality: ct", "modality: mri")
    (pattern,) = re.findall(r"`cases: (\".*?\")`", DOCUMENT.read_text(encoding="utf-8"))
    text = re.sub(r"cases: .*", lambda _: f"cases: {pattern}", text)
    (tmp_path / "amos-mri.yaml").write_text(text)
    assert [files.case for files in find_cases(tmp_path / "amos-mri.yaml", ABDOMEN, "mri")] == [
        "amos-mri-0501",
        "amos-mri-0507",
    ]


def test_totalsegmentator_keeps_a_mask_for_each_organ(documented, tmp_path):
    import nibabel

    image, labels = _ct_case(tmp_path / "made", 1)
    folder = tmp_path / "Totalsegmentator_dataset" / "s0001"
    (folder / "segmentations").mkdir(parents=True)
    image.rename(folder / "ct.nii.gz")
    numbers, affine = read_nifti_labels(labels)
    for name, value in (("liver", 6), ("kidney_right", 2), ("kidney_left", 3), ("spleen", 1), ("aorta", 8)):
        mask = nibabel.Nifti1Image((numbers == value).astype(np.uint8), affine)
        mask.set_sform(affine, code=1)
        nibabel.save(mask, folder / "segmentations" / f"{name}.nii.gz")
    (files,) = find_cases(documented["totalseg"], ABDOMEN, "ct")
    assert (files.case, files.patient) == ("totalseg-s0001", "totalseg-s0001")
    found = read_case(files).labels
    for value, organ in ((6, LIVER), (2, RIGHT_KIDNEY), (3, LEFT_KIDNEY), (1, SPLEEN)):
        np.testing.assert_array_equal(found == organ, numbers == value)


def test_a_hospital_folder_has_series_of_patients_and_no_labels(documented, tmp_path):
    write_mr(tmp_path / "made", 1, upwards=True)
    slices = sorted((tmp_path / "made").rglob("*.dcm"))
    for patient, study in (("p1", "a"), ("p1", "b"), ("p2", "a")):
        folder = tmp_path / "export" / patient / study
        folder.mkdir(parents=True)
        for number, path in enumerate(slices):
            scan = pydicom.dcmread(path)
            scan.Modality = "CT"
            # Names that say nothing of the order.
            scan.save_as(folder / f"IM{(7 * number) % len(slices):04d}")
        (folder / "report.txt").write_text("left alone")
    cases = find_cases(documented["hospital"], ABDOMEN, "ct")
    assert [files.case for files in cases] == ["hospital-p1-a", "hospital-p1-b", "hospital-p2-a"]
    assert [files.patient for files in cases] == ["hospital-p1", "hospital-p1", "hospital-p2"]
    assert cases[0].description.intensity == IntensityRule("window", -125.0, 275.0)
    volume = read_case(cases[0])
    assert volume.labels is None
    by_name = [pydicom.dcmread(path).pixel_array.T for path in slices]
    np.testing.assert_array_equal(volume.voxels, np.stack(by_name, -1).astype(np.float32))


@pytest.mark.slow
def test_a_task_of_ones_own_becomes_records_by_the_commands_shown(tmp_path, monkeypatch):
    """Two scans before and two after contrast agent; right cochleae lie at low columns, as columns run to the left."""
    import nibabel

    texts = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    (text,) = (text for text in texts if "structures" in yaml.safe_load(text))
    assert len(text.splitlines()) == 10
    (tmp_path / "head.yaml").write_text(text, encoding="utf-8")
    affine = np.diag([-4.0, -4.0, 6.0, 1.0])
    for folder, numbers in (("CONTRAST", (1, 2)), ("PLAIN", (3, 4))):
        for number in numbers:
            voxels, labels = np.full((48, 48, 4), 10, np.int16), np.zeros((48, 48, 4), np.uint8)
            voxels[4:44, 4:44] = 200 + number
            for index, column in ((1, 30), (2, 16), (3, 36)):
                labels[column : column + 2, 20:22, 1:3] = index
                voxels[labels == index] = 300
            for part, array in (("images", voxels), ("labels", labels)):
                if part == "images" or folder == "CONTRAST":
                    path = tmp_path / folder / part / f"{number}.nii.gz"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    nibabel.save(nibabel.Nifti1Image(array, affine), path)
    monkeypatch.chdir(tmp_path)
    shown = [command for command in commands(DOCUMENT) if "head.yaml" in command]
    assert len(shown) == 2
    for command in shown:
        done = CliRunner().invoke(main, shlex.split(command)[1:])
        assert done.exit_code == 0, done.output
    manifest = verify("records")
    assert manifest.task == load_task("head.yaml")
    assert {(case.domain, case.labelled) for case in manifest.cases} == {("t1", True), ("t2", False)}
    assert manifest.task.source_and_target("t12t2") == ("t1", "t2")
