import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel import orientations

from attent_tf.errors import InputError, Problem
from attent_tf.scoring.label_map import label_map_from
from attent_tf.scoring.pairing import SideFiles
from attent_tf.scoring.reading import Stored, onto_grid, read_side
from tests.support.label_folders import AFFINE, labels, write

_ALL_CODES = [
    "".join(codes) for axes in itertools.permutations(("RL", "AP", "SI")) for codes in itertools.product(*axes)
]
_TILT = np.array([[0.9, -0.3, 0.1], [0.28, 0.93, 0.2], [-0.15, -0.15, 0.97]])


def _oblique():
    affine = AFFINE.copy()
    affine[:3, :3] = np.linalg.qr(_TILT)[0] @ AFFINE[:3, :3]
    return affine


def _turned(array, affine, codes):
    """The array and affine of the same scan, stored in another axis order."""
    turn = orientations.ornt_transform(orientations.axcodes2ornt("RAS"), orientations.axcodes2ornt(tuple(codes)))
    return orientations.apply_orientation(array, turn), affine @ orientations.inv_ornt_aff(turn, array.shape)


@given(st.sampled_from(_ALL_CODES), st.sampled_from(_ALL_CODES), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_axis_order_is_brought_over_exactly(one, other, is_oblique):
    affine = _oblique() if is_oblique else AFFINE
    marked = np.random.default_rng(0).integers(0, 5, (5, 4, 3)).astype(np.uint8)
    moving, fixed = (Stored(*_turned(marked, affine, codes), codes) for codes in (one, other))
    np.testing.assert_array_equal(onto_grid(moving, fixed), fixed.array)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda array, affine: (array[:, :-1], affine),
            r"expected the shape \(20, 16, 8\) of fixed, found \(20, 15, 8\)",
        ),
        (
            lambda array, affine: (array, affine + np.array([[0, 0, 0, 0.5]] * 3 + [[0] * 4])),
            "expected the affine of fixed",
        ),
        (lambda array, affine: (array, affine * [2, 1, 1, 1]), "expected the affine of fixed"),
        (lambda array, affine: (array, _oblique()), "expected the affine of fixed"),
    ],
)
def test_another_grid_is_refused_and_never_resampled(change, message):
    with pytest.raises(InputError, match=message):
        onto_grid(Stored(*change(labels(), AFFINE), "moving"), Stored(labels(), AFFINE, "fixed"))


def test_headers_that_differ_by_rounding_alone_are_one_grid():
    moving = Stored(labels(), AFFINE + 1e-4, "moving")
    np.testing.assert_array_equal(onto_grid(moving, Stored(labels(), AFFINE, "fixed")), labels())


def _read(tmp_path, array, content=None, dtype=None):
    path = write(tmp_path / "a.nii.gz", array, dtype=dtype)
    return read_side(label_map_from(content or {}, "map.yaml").predictions, SideFiles((str(path),), None))


def test_numbers_become_our_classes(tmp_path):
    theirs = np.array([0, 6, 2, 3, 1], np.uint8)[labels()]
    content = {"label_values": {"liver": 6, "right_kidney": 2, "left_kidney": 3, "spleen": 1}}
    np.testing.assert_array_equal(_read(tmp_path, theirs, content).array, labels())
    np.testing.assert_array_equal(_read(tmp_path, theirs, content, np.float32).array, labels())


def test_unknown_numbers_are_refused_unless_the_map_allows_them(tmp_path):
    content = {"label_values": {"liver": 1, "spleen": 4}}
    with pytest.raises(InputError, match=r"a.nii.gz: expected labels out of 0, 1, 4, found 2, 3; name its labels"):
        _read(tmp_path, labels(), content)
    only = np.where(np.isin(labels(), [1, 4]), labels(), 0)
    np.testing.assert_array_equal(_read(tmp_path, labels(), {**content, "last_label": 4}).array, only)
    np.testing.assert_array_equal(_read(tmp_path, labels(), {**content, "label_names": {"a": 2, "b": 3}}).array, only)
    with pytest.raises(InputError, match=r"expected labels 0..3, found 4"):
        _read(tmp_path, labels(), {"label_values": {"liver": 1}, "last_label": 3})


def test_masks_of_single_organs_make_one_label_map(tmp_path):
    names = ("liver", "right_kidney", "left_kidney", "spleen")
    paths = [str(write(tmp_path / f"{n}.nii.gz", (labels() == i).astype(np.uint8))) for i, n in enumerate(names, 1)]
    side = label_map_from({"masks": {name: f"{{case}}/{name}.nii.gz" for name in names}}, "map.yaml").predictions
    np.testing.assert_array_equal(read_side(side, SideFiles(tuple(paths), None)).array, labels())
    write(tmp_path / "spleen.nii.gz", (labels() == 4).astype(np.uint8)[1:])
    with pytest.raises(InputError, match=r"spleen.nii.gz: expected the shape"):
        read_side(side, SideFiles(tuple(paths), None))
    write(tmp_path / "spleen.nii.gz", (labels() == 1).astype(np.uint8))
    with pytest.raises(InputError, match=r"spleen.nii.gz: expected a mask of spleen apart from the others"):
        read_side(side, SideFiles(tuple(paths), None))


def test_what_pairing_found_wrong_is_told_on_reading():
    side = label_map_from({}, "map.yaml").predictions
    with pytest.raises(InputError, match="x: expected a file, found none; add it"):
        read_side(side, SideFiles((), Problem("x", "a file", "none", "add it")))
