import numpy as np
import pytest

from attent_tf.errors import InputError, Problem
from attent_tf.scoring.label_map import label_map_from
from attent_tf.scoring.pairing import SideFiles
from attent_tf.scoring.reading import Stored, onto_grid, read_image, read_side
from tests.support.abdomen import ABDOMEN
from tests.support.label_folders import AFFINE, labels, write


def test_a_side_is_turned_onto_the_axes_of_another(tmp_path):
    moving, fixed = (
        read_image(str(write(tmp_path / f"{codes}.nii", labels(), codes=codes))) for codes in ("SLP", "RAS")
    )
    np.testing.assert_array_equal(onto_grid(moving, fixed), labels())
    assert moving.array.shape == (8, 20, 16)


def test_another_grid_is_refused_and_never_resampled():
    moved = Stored(labels(), AFFINE + np.array([[0, 0, 0, 0.5]] * 3 + [[0] * 4]), "moving")
    with pytest.raises(InputError, match="moving: expected the affine of fixed"):
        onto_grid(moved, Stored(labels(), AFFINE, "fixed"))


def _read(tmp_path, array, content=None, dtype=None):
    path = write(tmp_path / "a.nii.gz", array, dtype=dtype)
    return read_side(label_map_from(content or {}, ABDOMEN, "map.yaml").predictions, SideFiles((str(path),), None))


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
    side = label_map_from(
        {"masks": {name: f"{{case}}/{name}.nii.gz" for name in names}}, ABDOMEN, "map.yaml"
    ).predictions
    np.testing.assert_array_equal(read_side(side, SideFiles(tuple(paths), None)).array, labels())
    write(tmp_path / "spleen.nii.gz", (labels() == 4).astype(np.uint8)[1:])
    with pytest.raises(InputError, match=r"spleen.nii.gz: expected the shape"):
        read_side(side, SideFiles(tuple(paths), None))
    write(tmp_path / "spleen.nii.gz", (labels() == 1).astype(np.uint8))
    with pytest.raises(InputError, match=r"spleen.nii.gz: expected a mask of spleen apart from the others"):
        read_side(side, SideFiles(tuple(paths), None))


def test_masks_stored_along_different_axes_make_one_label_map(tmp_path):
    stored = {"liver": "LPS", "right_kidney": "RAS", "left_kidney": "SAR", "spleen": "PIL"}
    paths = [
        str(write(tmp_path / f"{organ}.nii.gz", (labels() == index).astype(np.uint8), codes=codes))
        for index, (organ, codes) in enumerate(stored.items(), start=1)
    ]
    side = label_map_from(
        {"masks": {organ: f"{{case}}/{organ}.nii.gz" for organ in stored}}, ABDOMEN, "map.yaml"
    ).predictions
    read = read_side(side, SideFiles(tuple(paths), None))
    np.testing.assert_array_equal(onto_grid(read, Stored(labels(), AFFINE, "fixed")), labels())


def test_what_pairing_found_wrong_is_told_on_reading():
    side = label_map_from({}, ABDOMEN, "map.yaml").predictions
    with pytest.raises(InputError, match="x: expected a file, found none; add it"):
        read_side(side, SideFiles((), Problem("x", "a file", "none", "add it")))
