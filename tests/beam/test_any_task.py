"""Records of a task that a user made up: three domains in one folder, two structures, nothing of the abdomen."""

import json

import click.testing
import nibabel
import numpy as np
import pytest

from attent_tf.data.manifest import read_manifest
from attent_tf.data.reader import read_case_records
from attent_tf.data.statistics import folder_statistics
from attent_tf.data.verify import verify
from attent_tf.tasks import load_task, parse_rule
from attent_tf.volumes import PrepareOptions
from cli.main import main

TASK = """\
name: head
structures:
  lesion: {largest_ml: 500}
  cochlea: {scored: false}
domains:
  t1: mri
  t2: {kind: mri, intensity: "percentile:1:98"}
  cone: ct
anatomy:
- {structure: lesion, lies: left_of, of: cochlea}
"""
_AFFINE = np.diag([-4.0, -4.0, 6.0, 1.0])  # LPS
_LESION, _COCHLEA = 1, 2


def _write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(array, _AFFINE)
    image.set_sform(_AFFINE, code=1)
    nibabel.save(image, path)


def _scan(folder, name, air, tissue, labelled, mirrored=False):
    """A body of 160 mm with a lesion on the patient's left and a cochlea on the right, numbered 7 and 3."""
    voxels = np.full((48, 48, 5), air, np.int16)
    voxels[4:44, 4:44] = tissue
    labels = np.zeros(voxels.shape, np.uint8)
    labels[30:36, 20:26, 1:4], labels[10:14, 20:26, 1:4] = 7, 3
    voxels[labels == 7], voxels[labels == 3] = tissue + 150, tissue + 60
    # A scan of one's own for each name.
    voxels[4, 4, 0] += sum(map(ord, name)) % 7
    _write(folder / "images" / f"{name}.nii.gz", voxels)
    if labelled:
        _write(folder / "labels" / f"{name}.nii.gz", labels[::-1] if mirrored else labels)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("head")
    (folder / "head.yaml").write_text(TASK)
    for name, domain, kind, air, tissue, labels in (
        ("a", "t1", "mri", 0, 300, True),
        ("b", "t2", "mri", 5, 200, False),
        ("c", "cone", "ct", -1000, 40, True),
    ):
        values = (
            "labels: 'labels/{case}.nii.gz'\nlabel_values: {cochlea: 3, lesion: 7, brainstem: 4}\n" if labels else ""
        )
        (folder / f"{domain}.yaml").write_text(
            f"name: site-{name}\nmodality: {kind}\nroot: {domain}\nimages: 'images/{{case}}.nii.gz'\n{values}"
        )
        for number in (1, 2):
            _scan(folder / domain, f"{name}{number}", air, tissue, labels)
    return folder


def _attent(*words):
    return click.testing.CliRunner().invoke(main, [str(word) for word in words])


def _preprocess(place, *words):
    domains = (f"t1={place}/t1.yaml", f"t2={place}/t2.yaml", f"cone={place}/cone.yaml")
    given = [word for domain in domains for word in ("--domain", domain)]
    return _attent("preprocess", "--task", place / "head.yaml", *given, "--split", "ratio", *words)


@pytest.fixture(scope="module")
def records(place):
    out = place / "records"
    done = _preprocess(place, "--out", out, "--intensity", "cone=window:-100:300")
    assert done.exit_code == 0, done.output
    return out


def test_three_domains_lie_in_one_folder_with_their_task(place, records):
    manifest = verify(records)
    assert manifest.task == load_task(place / "head.yaml")
    assert {(case.domain, case.labelled) for case in manifest.cases} == {("t1", True), ("t2", False), ("cone", True)}
    for domain in manifest.task.domain_names:
        assert [len(manifest.select(domain, split)) for split in ("train", "test")] == [1, 1]
    for case in manifest.cases:
        classes = {class_ for record in read_case_records(records, manifest, case.case) for class_ in _classes(record)}
        assert classes == ({0, _LESION, _COCHLEA} if case.labelled else {None})


def _classes(record):
    return {None} if record.label is None else set(np.unique(record.label).tolist())


def test_each_domain_has_the_rule_of_the_user_or_of_the_task(records):
    preparation = PrepareOptions.from_json(read_manifest(records).options["preparation"])
    assert dict(preparation.intensity) == {
        "t1": parse_rule("percentile:0.5:99:volume:body"),
        "t2": parse_rule("percentile:1:98"),
        "cone": parse_rule("window:-100:300"),
    }


def test_statistics_speak_of_the_tasks_structures(records):
    """Lesion: 6 · 6 · 3 voxels of 4 · 4 · 6 mm."""
    found = folder_statistics(records, read_manifest(records))
    assert found["domains"].keys() == {"t1", "t2", "cone"}
    assert found["domains"]["t1"]["organs"].keys() == {"lesion", "cochlea"}
    (smallest, _, largest) = found["domains"]["cone"]["organs"]["lesion"]["volume_ml"]
    assert smallest == pytest.approx(6 * 6 * 3 * 0.096, rel=0.05)
    assert largest == pytest.approx(6 * 6 * 3 * 0.096, rel=0.05)


def test_the_check_applies_the_tasks_own_anatomy(place, tmp_path):
    _scan(tmp_path / "other", "m", 0, 300, labelled=True, mirrored=True)
    (tmp_path / "other.yaml").write_text((place / "t1.yaml").read_text().replace("root: t1", "root: other"))
    words = (
        "--task",
        place / "head.yaml",
        "--domain",
        f"t1={tmp_path}/other.yaml",
        "--split",
        "none",
        "--check",
        "--json",
    )
    done = _attent("preprocess", *words)
    (problem,) = json.loads(done.stdout)["problems"]
    assert (problem["domain"], problem["check"]) == ("t1", "anatomy")
    assert "the lesion right of the cochlea by" in problem["found"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--domain", "t4=x"), "task head has no domain 't4'; it has t1, t2, cone"),
        (("--mri", "x"), "task head has no domain 'mri'; it has t1, t2, cone"),
        (("--domain", "t1=x"), "--domain t1: expected once, found"),
        (("--domain", "t1"), "expected DOMAIN=DIR, found 't1'"),
        (("--domain-dataset", "t1=nifty"), "data set 'nifty': expected one of"),
        (("--intensity", "t1=widow:0:1"), "intensity rule: expected window"),
        (("--intensity", "ct=window:0:1"), "task head has no domain 'ct'"),
    ],
)
def test_a_domain_that_is_wrong_or_given_twice_is_one_line(place, tmp_path, words, found):
    done = _preprocess(place, "--out", tmp_path / "records", *words)
    assert done.exit_code != 0
    (line,) = [line for line in done.output.splitlines() if line.startswith("Error: ")]
    assert found in line


def test_a_rule_or_description_without_a_folder_is_one_line(place, tmp_path):
    words = ("--task", place / "head.yaml", "--domain", f"t1={place}/t1.yaml", "--out", tmp_path / "records")
    for option, value in (("--domain-dataset", "t2=nifti"), ("--intensity", "t2=window:0:1")):
        done = _attent("preprocess", *words, option, value)
        assert "Error: domain t2: expected a data folder too" in done.output


def test_the_tasks_file_must_be_one(tmp_path):
    done = _attent("preprocess", "--task", tmp_path / "absent.yaml", "--ct", tmp_path, "--out", tmp_path / "records")
    assert done.exit_code == 1
    assert "absent.yaml" in done.output
    assert "Traceback" not in done.output
