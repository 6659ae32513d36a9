"""One real MR and one real CT, each as published and as the data sets lay them out. Their labels come from a model."""

import dataclasses

import nibabel
import numpy as np
import pytest

from attent_tf.datasets import find_cases, read_case
from attent_tf.errors import InputError
from attent_tf.volumes import (
    PrepareOptions,
    body_mask,
    check_anatomy,
    prepare,
    read_nifti_labels,
    read_scan,
    to_canonical,
)
from tests.support.abdomen import ABDOMEN
from tests.support.from_grid import restore_labels

FOLDERS = {"mri": "chaos", "ct": "malbcv"}
PUBLISHED = {"mri": "mr", "ct": "ct"}
# The published label maps' numbers: liver 5, right kidney 2, left kidney 3, spleen 1.
PUBLISHED_LABELS = {5: 1, 2: 2, 3: 3, 1: 4}


@pytest.fixture(scope="module", params=["mri", "ct"])
def domain(request):
    return request.param


@pytest.fixture(scope="module")
def laid_out(real, domain):
    (files,) = find_cases(real / FOLDERS[domain], ABDOMEN, domain)
    return read_case(files)


@pytest.fixture(scope="module")
def published(real, domain):
    name = PUBLISHED[domain]
    volume = read_scan(real / "nifti" / f"{name}.nii.gz", ABDOMEN.domain(domain))
    numbers, _ = read_nifti_labels(real / "nifti" / f"{name}_labels.nii.gz")
    labels = np.zeros(numbers.shape, np.uint8)
    for number, organ in PUBLISHED_LABELS.items():
        labels[numbers == number] = organ
    return dataclasses.replace(volume, labels=labels)


def test_both_layouts_are_the_same_patient_at_the_same_place(laid_out, published, domain):
    first, second = to_canonical(laid_out), to_canonical(published)
    np.testing.assert_allclose(first.affine, second.affine, atol=1e-3)
    # DICOM of MR holds no negative numbers; the published scan has some, down to -47.
    np.testing.assert_array_equal(first.voxels, np.maximum(second.voxels, 0) if domain == "mri" else second.voxels)
    assert first.labels.any()
    np.testing.assert_array_equal(first.labels, second.labels)


def test_the_anatomy_is_right_and_wrong_when_mirrored(laid_out, published):
    check_anatomy(laid_out, ABDOMEN)
    for world_axis in (0, 1):
        affine = published.affine.copy()
        affine[world_axis] *= -1
        with pytest.raises(InputError, match=published.case):
            check_anatomy(dataclasses.replace(published, affine=affine), ABDOMEN)


def test_organs_lie_in_the_body(laid_out):
    canonical = to_canonical(laid_out)
    body = body_mask(canonical)
    assert body[canonical.labels > 0].mean() > 0.999
    assert 0.4 < body.mean() < 0.9


def test_labels_survive_preparation(tools, laid_out):
    for options, least in ((PrepareOptions(size=128, pixel_mm=3.0), 1.0), (PrepareOptions(), 0.99)):
        case = prepare(laid_out, options)
        restored = restore_labels(case.labels, case.geometry)
        for organ in range(1, 5):
            assert tools.dice(restored == organ, laid_out.labels == organ) >= least
        liver, spleen = (np.argwhere(case.labels == organ)[:, 2].mean() for organ in (1, 4))
        assert liver < options.size / 2 < spleen
        assert case.images.min() == -1
        assert case.images.max() == 1


def test_both_layouts_are_prepared_alike(laid_out, published, domain):
    first, second = prepare(laid_out), prepare(published)
    np.testing.assert_array_equal(first.labels, second.labels)
    assert first.geometry.grid == second.geometry.grid
    tolerance = 1e-6 if domain == "ct" else 0.1
    assert np.abs(first.images - second.images).mean() < tolerance


def test_a_label_map_written_for_the_published_scan_fits_it(real, published, tmp_path):
    from attent_tf.volumes import write_labels

    case = prepare(published)
    write_labels(tmp_path / "labels.nii.gz", restore_labels(case.labels, case.geometry), published.affine)
    source = nibabel.load(real / "nifti" / f"{PUBLISHED[published.domain.name]}.nii.gz")
    written = nibabel.load(tmp_path / "labels.nii.gz")
    assert written.shape == source.shape
    np.testing.assert_allclose(written.affine, source.affine, atol=1e-4)
