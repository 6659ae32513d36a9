"""Labels with the voxels of their scan are taken in whatever order their axes run; others are told by check and reader."""

import numpy as np
import pytest

from attent_tf.datasets import find_cases, read_case
from attent_tf.datasets.check import check_headers
from attent_tf.errors import InputError
from tests.support.abdomen import ABDOMEN
from tests.support.label_folders import AFFINE, write

SHAPE = (5, 4, 3)
LABELS = (np.arange(60, dtype=np.uint8) % 5).reshape(SHAPE)
ORGANS = ("liver", "right_kidney", "left_kidney", "spleen")


@pytest.mark.parametrize("codes", ["RAS", "RPS", "SAL", "PIR"])
def test_a_label_map_is_turned_onto_its_scan(tmp_path, codes):
    write(tmp_path / "images" / "a.nii", LABELS.astype(np.int16))
    write(tmp_path / "labels" / "a.nii", LABELS, codes=codes)
    (files,) = find_cases(tmp_path, ABDOMEN, "ct")
    assert check_headers(files) == []
    volume = read_case(files)
    np.testing.assert_array_equal(volume.labels, LABELS)
    np.testing.assert_array_equal(volume.voxels, LABELS)
    np.testing.assert_array_equal(volume.affine, AFFINE)


def test_each_mask_is_turned_by_its_own_axes(tmp_path):
    write(tmp_path / "images" / "a.nii", LABELS.astype(np.int16), codes="ILP")
    for index, codes in enumerate(("RAS", "RPS", "SAL", "PIR"), start=1):
        write(tmp_path / "masks" / "a" / f"{ORGANS[index - 1]}.nii", (index == LABELS).astype(np.uint8), codes=codes)
    patterns = {organ: f"masks/{{case}}/{organ}.nii" for organ in ORGANS}
    (tmp_path / "masks.yaml").write_text(
        f"name: masks\nmodality: ct\nroot: .\nimages: 'images/{{case}}.nii'\nmasks: {patterns}\n"
    )
    (files,) = find_cases(tmp_path / "masks.yaml", ABDOMEN, "ct")
    assert check_headers(files) == []
    volume = read_case(files)
    np.testing.assert_array_equal(volume.labels, volume.voxels)


@pytest.mark.parametrize("codes", ["RAS", "RPS", "SAL"])
@pytest.mark.parametrize(
    ("array", "shift_mm", "message"),
    [
        (
            LABELS,
            0.5,
            r"expected the affine of .*a\.nii, found corners up to 0\.5 mm away; resample the labels to their",
        ),
        (
            LABELS[:-1],
            0,
            r"expected the shape \(5, 4, 3\) of .*a\.nii, found \(4, 4, 3\); resample the labels to their",
        ),
    ],
)
def test_labels_elsewhere_are_told_alike_by_check_and_reader(tmp_path, codes, array, shift_mm, message):
    write(tmp_path / "images" / "a.nii", LABELS.astype(np.int16))
    affine = AFFINE.copy()
    affine[2, 3] += shift_mm
    write(tmp_path / "labels" / "a.nii", array, affine, codes)
    (files,) = find_cases(tmp_path, ABDOMEN, "ct")
    (problem,) = check_headers(files)
    with pytest.raises(InputError, match=rf"labels/a\.nii: {message}") as caught:
        read_case(files)
    assert (problem.check, problem.problem) == ("grid", caught.value.problem)
