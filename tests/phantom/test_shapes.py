"""The phantom of the task `shapes`: its folders are a data set of that task, and its contrasts differ as they say."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from attent_tf.datasets import find_cases, read_case
from attent_tf.errors import InputError
from attent_tf.phantom import write_shapes
from attent_tf.tasks import load_task
from attent_tf.volumes.anatomy import check_anatomy
from cli.main import main

SHAPES = load_task("shapes")
BALL, ROD, CAVE = range(1, 4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("shapes") / "out"
    write_shapes(out, subjects=2, seed=3)
    return out


@pytest.fixture(scope="module")
def scans(folder):
    """Scans of two subjects by domain."""
    return {
        domain: [read_case(files) for files in find_cases(folder / domain, SHAPES, domain)]
        for domain in SHAPES.domain_names
    }


def _digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_folder_of_each_domain_is_read_as_a_data_set(scans):
    assert [scan.case for scan in scans["t1"]] == ["nifti-t1-01", "nifti-t1-02"]
    assert [scan.case for scan in scans["t2"]] == ["nifti-t2-01", "nifti-t2-02"]
    for scan in (*scans["t1"], *scans["t2"]):
        check_anatomy(scan, SHAPES)
        assert set(np.unique(scan.labels)) == {0, BALL, ROD, CAVE}
        # Slices at both ends show none of it.
        assert (np.asarray(scan.labels) > 0).any(axis=(0, 1)).sum() < scan.shape[2]


def test_two_structures_are_bright_one_is_dark_and_contrasts_differ(scans):
    contrasts = {}
    for domain, volumes in scans.items():
        for scan in volumes:
            body = np.median(scan.voxels[(scan.labels == 0) & (scan.voxels > 300)])
            contrasts[domain] = [np.median(scan.voxels[scan.labels == index]) / body for index in (BALL, ROD, CAVE)]
            ball, rod, cave = contrasts[domain]
            assert min(ball, rod) > 1.3
            assert cave < 0.6
    assert contrasts["t1"][0] > contrasts["t1"][1]
    assert contrasts["t2"][0] < contrasts["t2"][1]


def test_the_same_seed_gives_the_same_bytes_however_many_subjects(folder, tmp_path):
    write_shapes(tmp_path / "three", subjects=3, seed=3)
    write_shapes(tmp_path / "other", subjects=1, seed=4)
    found, three, other = _digests(folder), _digests(tmp_path / "three"), _digests(tmp_path / "other")
    assert found.items() <= three.items()
    assert not set(found.values()) & set(other.values())
    # No subject is in both domains.
    assert len(set(found.values())) == len(found) == 8


@pytest.mark.parametrize("wrong", [{"subjects": 0}, {"seed": -1}])
def test_what_no_phantom_can_be_made_of_is_refused(wrong, tmp_path):
    with pytest.raises(InputError, match=next(iter(wrong))):
        write_shapes(tmp_path / "out", **wrong)


def test_the_command_says_how_to_go_on(tmp_path):
    out = tmp_path / "shapes"
    result = CliRunner().invoke(main, ["phantom", "--task", "shapes", "--out", str(out), "--subjects", "1"])
    assert result.exit_code == 0
    last = result.output.strip().splitlines()[-1]
    assert f"attent preprocess --task shapes --domain t1={Path(out) / 't1'} --domain t2={Path(out) / 't2'}" in last
    assert sorted(path.name for path in out.iterdir()) == ["t1", "t2"]
