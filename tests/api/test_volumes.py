"""Arrays through a chain: what comes back is what `attent segment` and `attent translate` write for the same scan as NIfTI."""

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner
from nibabel.affines import apply_affine

import attent_tf as at
from attent_tf.errors import ConfigError, InputError, RunError
from attent_tf.postprocessing import Postprocessing
from attent_tf.volumes import PrepareOptions
from cli.main import main
from tests.support.oracle_runs import oracle_chain, oracle_for_networks, write_oracle_run

OPTIONS = PrepareOptions(size=64, pixel_mm=4.0)


def _scan(codes: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns [i, j, k] int16 voxels of a body with a bright rod at the patient's right, and the affine, stored as `codes`."""
    x, y = np.meshgrid(np.linspace(-1.2, 1.2, 60), np.linspace(-1.2, 1.2, 50), indexing="ij")
    plane = np.where(x**2 + y**2 < 1, 40.0, -1000.0)
    voxels = np.repeat(plane[..., None], 11, axis=2) + np.arange(11) * 8.0
    voxels[15:22, 10:14] = 600
    image = nibabel.Nifti1Image(voxels.astype(np.int16), np.diag([4.0, 4.0, 5.0, 1.0]))
    ornt = nibabel.orientations.ornt_transform(
        nibabel.orientations.axcodes2ornt("RAS"), nibabel.orientations.axcodes2ornt(codes)
    )
    turned = image.as_reoriented(ornt)
    return np.asanyarray(turned.dataobj), turned.affine


def _attent(verb, run, voxels, affine, folder):
    nibabel.save(nibabel.Nifti1Image(voxels, affine), folder / "scan.nii.gz")
    words = (verb, "--run", run, "--input", folder / "scan.nii.gz", "--out", folder / "answer.nii.gz")
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return np.asanyarray(nibabel.load(folder / "answer.nii.gz").dataobj)


@pytest.mark.parametrize(("codes", "kind"), [("RAS", np.int16), ("LPS", np.float64), ("SAL", np.float32)])
def test_an_array_has_the_labels_of_its_nifti_file(codes, kind, monkeypatch, tmp_path):
    oracle_for_networks(monkeypatch)
    run = write_oracle_run(tmp_path / "run", options=OPTIONS)
    voxels, affine = _scan(codes)
    labels = at.segment_volume(oracle_chain(OPTIONS), voxels.astype(kind), affine, "ct", progress=at.SilentObserver())
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, _attent("segment", run, voxels, affine, tmp_path))
    # The rod is at the patient's right, wherever the array has it.
    rod, body = (apply_affine(affine, np.argwhere(part).mean(axis=0)) for part in (labels == 4, labels > 0))
    assert rod[0] < body[0] - 30


def test_an_array_is_translated_as_its_nifti_file_is(monkeypatch, tmp_path):
    oracle_for_networks(monkeypatch)
    run = write_oracle_run(tmp_path / "run", options=OPTIONS)
    voxels, affine = _scan("LAS")
    image = at.translate_volume(oracle_chain(OPTIONS), voxels, affine, progress=at.SilentObserver())
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, _attent("translate", run, voxels, affine, tmp_path))


def test_label_maps_are_cleaned_as_the_model_says_or_as_asked():
    voxels, affine = _scan("RAS")
    voxels[30, 40, 5] = voxels[31, 40, 5] = 600  # a second part of the rod's class
    chain = oracle_chain(OPTIONS, postprocessing=Postprocessing(largest_component=True, fill_holes=True))
    parts = {asked: at.segment_volume(chain, voxels, affine, postprocess=asked) for asked in (None, True, False)}
    np.testing.assert_array_equal(parts[None], parts[True])
    assert parts[False][30:32, 40, 5].max() == 4
    assert parts[None][30:32, 40, 5].max() < 4


def test_progress_and_warnings_are_told_line_by_line():
    voxels, affine = _scan("RAS")
    told = []
    at.segment_volume(oracle_chain(OPTIONS), np.clip(voxels, 0, 4), affine, progress=told.append)
    assert told[0].startswith("Warning: array: expected the intensities of a scan, found ")
    assert told[-1].startswith("Segment: 11/11 slices")


_EYE = np.eye(4)


@pytest.mark.parametrize(
    ("voxels", "affine", "message"),
    [
        (np.zeros((4, 4)), _EYE, r"array: expected voxels \[i, j, k\], found shape \(4, 4\)"),
        (np.zeros((4, 4, 4, 2)), _EYE, "give one scan at a time"),
        (np.zeros((4, 4, 4), bool), _EYE, "array: expected one number per voxel, found voxels of type bool"),
        (np.full((4, 4, 4), np.nan), _EYE, "expected finite intensities, found 64 voxels that are NaN or infinite"),
        (np.zeros((4, 4, 4)), np.eye(3), r"array: expected an affine \[4, 4\], found shape \(3, 3\)"),
        (np.zeros((4, 4, 4)), np.diag([1, 0, 1, 1]), "array: expected an affine that can be inverted"),
        (np.zeros((4, 4, 4)), np.diag([1e3, 1e3, 1e3, 1]), "array: expected voxel sizes of 0.01 to 100 mm"),
        (np.zeros((4, 4, 4)), _EYE, "array: expected a scan with contrast, found 0 in all voxels"),
    ],
)
def test_what_cannot_be_a_scan_is_refused(voxels, affine, message):
    with pytest.raises(InputError, match=message):
        at.segment_volume(oracle_chain(OPTIONS), voxels, affine, progress=at.SilentObserver())


def test_a_chain_of_the_other_direction_is_refused():
    voxels, affine = _scan("RAS")
    with pytest.raises(ConfigError, match="domain: expected ct, the target of the chain, found 'mri'; load the chain"):
        at.segment_volume(oracle_chain(OPTIONS), voxels, affine, "mri")


def test_a_chain_without_a_translator_is_refused():
    class Plain:
        has_translator = False

    voxels, affine = _scan("RAS")
    with pytest.raises(RunError, match="this chain has no translator; take the run, not an export"):
        at.translate_volume(oracle_chain(OPTIONS, oracle=Plain()), voxels, affine, progress=at.SilentObserver())
