"""Label maps that were stretched over an integer type when they were saved: what is certain is read, what is blurred is not."""

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attent_tf.datasets import find_cases, read_case
from attent_tf.errors import InputError
from attent_tf.scoring.label_map import label_map_from
from attent_tf.scoring.pairing import SideFiles
from attent_tf.scoring.reading import read_side
from attent_tf.volumes import read_nifti_labels
from tests.support.abdomen import ABDOMEN
from tests.support.nifti_fields import set_fields

AFFINE = np.diag([-2.0, 3.0, 4.0, 1.0])
DTYPES = ["uint8", "int8", "int16", "uint16", "int32", "uint32"]


def _save_scaled(path, values, dtype, kind=nibabel.Nifti1Image):
    """As people do it: a float array with the header of the label map that it was made from."""
    image = kind(np.asarray(values, np.float64), AFFINE)
    image.set_sform(AFFINE, code=1)
    image.set_data_dtype(dtype)
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    return path


def _save_stored(path, numbers, slope, intercept):
    """Numbers as they stand in the file, and what they are scaled by."""
    image = nibabel.Nifti1Image(np.asarray(numbers).reshape(-1, 1, 1), AFFINE)
    image.set_sform(AFFINE, code=1)
    nibabel.save(image, path)
    return set_fields(path, scl_slope=slope, scl_inter=intercept)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("scaled")


@given(
    st.sets(st.integers(-50, 250), min_size=2, max_size=12),
    st.sampled_from(DTYPES),
    st.sampled_from([nibabel.Nifti1Image, nibabel.Nifti2Image]),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None)
def test_classes_come_back_from_every_integer_type(folder, classes, dtype, kind, seed):
    # A byte has 255 steps: wider apart than that, two classes share one.
    classes = sorted(classes)
    classes = [value for value in classes if value - classes[0] < 255]
    labels = np.random.default_rng(seed).choice(classes, (5, 4, 3)).astype(np.float64)
    seen, _ = read_nifti_labels(_save_scaled(folder / "labels.nii", labels, dtype, kind))
    np.testing.assert_array_equal(seen, labels)
    assert seen.dtype.kind in "iu"


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_case_of_malbcv(tmp_path, dtype):
    labels = (np.arange(60) % 14).reshape(5, 4, 3)
    path = _save_scaled(tmp_path / "labels.nii.gz", labels, dtype)
    # What other readers say is near the labels, and for most types not on them.
    near = nibabel.load(path).get_fdata()
    np.testing.assert_allclose(near, labels, atol=13 / 255)
    np.testing.assert_array_equal(read_nifti_labels(path)[0], labels)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("values", [(0, 0.4, 1.6, 4), (0, 0.5, 1), (0, 1.3, 13), (0, 12.6, 13)])
def test_a_blurred_map_stays_refused(tmp_path, dtype, values):
    path = _save_scaled(tmp_path / "labels.nii", np.resize(values, (5, 4, 3)), dtype)
    with pytest.raises(InputError, match=r"expected whole numbers as labels, found .* nearest neighbour"):
        read_nifti_labels(path)


@given(st.sampled_from(DTYPES), st.integers(1, 60), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_a_map_of_many_values_between_classes_stays_refused(folder, dtype, highest, seed):
    blurred = np.random.default_rng(seed).uniform(0, highest, (10, 10, 5))
    with pytest.raises(InputError, match="whole numbers as labels"):
        read_nifti_labels(_save_scaled(folder / "labels.nii", blurred, dtype))


@pytest.mark.parametrize(
    ("numbers", "slope", "intercept", "labels"),
    [
        # 255 × 4/255 in float32 is 4.0000001.
        (np.uint8([0, 64, 128, 191, 255]), 4 / 255, 0, [0, 1, 2, 3, 4]),
        # Steps of 0.4: half of one is 0.2, and 2.8 is that far from 3.
        (np.uint8([0, 5, 7, 8]), 0.4, 0, [0, 2, 3, 3]),
        # Whole as they stand, however wide the steps are.
        (np.int16([0, 1, 3]), 2, 1, [1, 3, 7]),
        (np.int16([-1000, -996]), 1, 1000, [0, 4]),
        (np.int16([0, 4, 8]), 1.25, 0, [0, 5, 10]),
        (np.float32([0, 10, 30]), 0.1, 0, [0, 1, 3]),
        # The type's widest numbers, where float32 alone is off by some thousandth of a step.
        (np.int32([-(2**31), 2**31 - 1]), 4 / 2**32, 2, [0, 4]),
    ],
)
def test_what_is_within_half_a_step_is_that_number(tmp_path, numbers, slope, intercept, labels):
    seen, _ = read_nifti_labels(_save_stored(tmp_path / "labels.nii", numbers, slope, intercept))
    np.testing.assert_array_equal(seen.ravel(), labels)


@pytest.mark.parametrize(
    ("numbers", "slope", "intercept", "found"),
    [
        (np.uint8([0, 1]), 0.4, 0, "0.4 in 1 voxel"),
        # Half a step would be half of 1 or more: everything would be near enough.
        (np.uint8([0, 1, 2]), 1, 0.25, "0.25, 1.25, 2.25 in 3 voxels"),
        (np.uint8([0, 1, 2]), 1.3, 0, "1.3, 2.6 in 2 voxels"),
        (np.uint8([0, 1]), -1.5, 0, "-1.5 in 1 voxel"),
        # A float is not stored in steps.
        (np.float32([0, 3.9]), 0.9, 0, "3.51 in 1 voxel"),
        (np.float32([3.99998]), 1, 0, "3.99998 in 1 voxel"),
        (np.int32([2**30]), 8.5, 0, "9.12681e+09 in 1 voxel"),
        (np.float64([1e308]), 1e30, 0, "inf in 1 voxel"),
    ],
)
def test_what_is_not_certain_is_refused(tmp_path, numbers, slope, intercept, found):
    path = _save_stored(tmp_path / "labels.nii", numbers, slope, intercept)
    with pytest.raises(InputError) as caught:
        read_nifti_labels(path)
    assert str(caught.value).startswith(f"{path}: expected whole numbers as labels, found {found};")


def test_masks_and_label_maps_of_data_sets_and_scoring_are_read_alike(tmp_path):
    classes = (np.arange(60) % 5).reshape(5, 4, 3)
    organs = ("liver", "right_kidney", "left_kidney", "spleen")
    _save_scaled(tmp_path / "images" / "a.nii.gz", classes, np.int16)
    whole = _save_scaled(tmp_path / "labels" / "a.nii.gz", classes, np.uint8)
    masks = [
        _save_scaled(tmp_path / "masks" / "a" / f"{organ}.nii.gz", classes == index, np.int16)
        for index, organ in enumerate(organs, start=1)
    ]
    patterns = {organ: f"masks/{{case}}/{organ}.nii.gz" for organ in organs}
    (tmp_path / "masks.yaml").write_text(
        f"name: masks\nmodality: ct\nroot: .\nimages: 'images/{{case}}.nii.gz'\nmasks: {patterns}\n"
    )
    of_labels, of_masks = (
        label_map_from(content, ABDOMEN, "map.yaml").predictions for content in ({}, {"masks": patterns})
    )
    for seen in (
        read_case(*find_cases(tmp_path, ABDOMEN, "ct")).labels,
        read_case(*find_cases(tmp_path / "masks.yaml", ABDOMEN, "ct")).labels,
        read_side(of_labels, SideFiles((str(whole),), None)).array,
        read_side(of_masks, SideFiles(tuple(map(str, masks)), None)).array,
    ):
        np.testing.assert_array_equal(seen, classes)
