"""The run, or the contract of an exported model, decides what is done to label maps, unless the user does."""

import dataclasses
import json

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner

from attent_tf.configs import load_config
from attent_tf.errors import RunError
from attent_tf.postprocessing import Postprocessing
from attent_tf.runs import load_run
from attent_tf.runs.run import create_or_check
from attent_tf.volumes import write_scan
from attent_tf.volumes.orientation import canonical_view
from cli.main import main
from tests.support.oracle_runs import oracle_for_networks, write_oracle_run

BOTH = Postprocessing(largest_component=True, fill_holes=True)
ON = ["postprocessing.largest_component=true", "postprocessing.fill_holes=true"]


@pytest.fixture(autouse=True)
def opened(monkeypatch):
    return oracle_for_networks(monkeypatch)


@pytest.fixture
def scan(tmp_path):
    """Noise in a body: the oracle finds crumbs of every organ."""
    voxels = np.full((60, 50, 4), -1000, np.int16)
    voxels[10:50, 10:40] = 40 + np.random.default_rng(0).integers(-200, 200, (40, 30, 4))
    write_scan(tmp_path / "scan.nii.gz", voxels, np.diag([-4.0, 4.0, 5.0, 1.0]), np.int16)
    return tmp_path / "scan.nii.gz"


def _segment(run, scan, out, *words):
    report = out.with_name("report.json")
    words = ("segment", "--run", run, "--input", scan, "--out", out, "--report", report, *words)
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    image = nibabel.load(out)
    (entry,) = json.loads(report.read_text())["scans"]
    return canonical_view(np.asanyarray(image.dataobj), image.affine), entry


def test_the_run_decides_and_the_user_may_decide_otherwise(scan, tmp_path):
    plain_run, clean_run = write_oracle_run(tmp_path / "plain"), write_oracle_run(tmp_path / "clean", overrides=ON)
    plain, entry = _segment(plain_run, scan, tmp_path / "a.nii.gz")
    assert entry["postprocessing"] == {"largest_component": False, "fill_holes": False}
    assert "postprocessing" not in entry["seconds"]
    clean, entry = _segment(clean_run, scan, tmp_path / "b.nii.gz", "--preview")
    np.testing.assert_array_equal(clean, BOTH(plain))
    assert (clean != plain).any()
    assert entry["postprocessing"] == BOTH.to_json()
    liver_ml = (clean == 1).sum() * 4.0 * 4.0 * 5.0 / 1000
    assert entry["organs"]["liver"]["volume_ml"] == pytest.approx(liver_ml)
    np.testing.assert_array_equal(_segment(clean_run, scan, tmp_path / "c.nii.gz", "--no-postprocess")[0], plain)
    np.testing.assert_array_equal(_segment(plain_run, scan, tmp_path / "d.nii.gz", "--postprocess")[0], clean)


def test_a_run_that_does_not_name_it_goes_on_without(tmp_path):
    folder = write_oracle_run(tmp_path / "run")
    run = load_run(folder)
    content = json.loads((folder / "run.json").read_text())
    del content["config"]["postprocessing"]
    (folder / "run.json").write_text(json.dumps(content))
    assert load_run(folder) == run
    assert not run.postprocessing
    create_or_check(run, ())
    changed = dataclasses.replace(run, config=load_config("demo", ON))
    with pytest.raises(RunError, match=r"postprocessing\.fill_holes was False, is True"):
        create_or_check(changed, ())


def test_it_is_on_in_recommended_alone():
    assert load_config("recommended").postprocessing == BOTH
    assert not any(load_config(name).postprocessing for name in ("paper", "released", "demo"))
