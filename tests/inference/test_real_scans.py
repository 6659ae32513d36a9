"""The main job on one real CT and one real MR patient: it runs, and the answers lie where the scans lie.

The labels at hand are another model's, and one patient a modality teaches nothing general, so no score is asserted that would
mean more than "the geometry is right".
"""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner

from cli.main import main

_REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "real"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not _REAL.is_dir(), reason=f"needs the real scans in {_REAL.parent.name}/{_REAL.name}"),
]

_SHORT = (
    "data.image_size=64",
    "translation.filters=4",
    "translation.residual_blocks=1",
    "translation.discriminator_filters=4",
    "segmentation.steps=80",
    "segmentation.aligner_warmup_steps=40",
    "panel_every=0",
)


def _attent(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output + repr(result.exception)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("real")
    sources = ("--mri", _REAL / "chaos", "--ct", _REAL / "malbcv")
    _attent("preprocess", *sources, "--out", place / "records", "--split", "none")
    return place


def _train(place, method, *more):
    settings = [word for setting in (*_SHORT, *more) for word in ("--set", setting)]
    out = place / method
    names = ("--records", place / "records", "--out", out, "--direction", "mri2ct", "--method", method)
    _attent("train", *names, "--config", "demo", *settings)
    return out


@pytest.mark.eager
@pytest.mark.parametrize("verb", ["segment", "translate"])
def test_the_ct_comes_back_in_its_own_grid(place, verb):
    """Whatever the networks have learned."""
    run, out = _train(place, "attent", "translation.steps=2", "segmentation.steps=2"), place / f"{verb}.nii.gz"
    scan_path = _REAL / "nifti" / "ct.nii.gz"
    _attent(verb, "--run", run, "--input", scan_path, "--out", out)
    scan, answer = nibabel.load(scan_path), nibabel.load(out)
    assert answer.shape == scan.shape
    np.testing.assert_allclose(answer.affine, scan.affine, atol=1e-4)


def test_a_supervised_run_finds_the_liver_where_it_is(place):
    """Trained and tested on the one CT: only a slip of orientation or place could keep the overlap low."""
    run, out = _train(place, "supervised"), place / "upper.nii.gz"
    _attent("segment", "--run", run, "--input", _REAL / "nifti" / "ct.nii.gz", "--out", out)
    found = np.asanyarray(nibabel.load(out).dataobj) == 1
    liver = np.asanyarray(nibabel.load(_REAL / "nifti" / "ct_labels.nii.gz").dataobj) == 5
    assert 2 * np.sum(found & liver) / (found.sum() + liver.sum()) > 0.7


def test_a_split_of_none_is_named_in_the_report(place):
    run = _train(place, "supervised")
    out = place / "evaluation"
    _attent("evaluate", "--run", run, "--records", place / "records", "--out", out)
    assert "not test results" in (out / "report" / "index.html").read_text()
