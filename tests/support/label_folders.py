"""Tiny folders of NIfTI label maps, as any segmentation tool writes them."""

import nibabel
import nibabel.orientations as orientations
import numpy as np

SHAPE = (20, 16, 8)
AFFINE = np.array([[2.0, 0, 0, -20], [0, 1.5, 0, -12], [0, 0, 4.0, -16], [0, 0, 0, 1]])
# Class index to the corner of its box of 4 × 4 × 3 voxels.
CORNERS = {1: (2, 2, 2), 2: (8, 2, 2), 3: (13, 2, 2), 4: (2, 9, 3)}
BOX = (4, 4, 3)


def labels(shift=0, without=()):
    """Returns [i, j, k] class indices: a box for each organ, `shift` voxels further along the first axis."""
    array = np.zeros(SHAPE, np.uint8)
    for organ, (i, j, k) in CORNERS.items():
        if organ not in without:
            array[i + shift : i + shift + BOX[0], j : j + BOX[1], k : k + BOX[2]] = organ
    return array


def write(path, array, affine=AFFINE, codes="RAS", dtype=None):
    """Writes an array as NIfTI, stored with the given axis codes; returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(array.astype(dtype or array.dtype), affine)
    turn = orientations.ornt_transform(orientations.axcodes2ornt("RAS"), orientations.axcodes2ornt(tuple(codes)))
    image = image.as_reoriented(turn)
    image.set_sform(image.affine, code=1)
    image.set_qform(image.affine, code=1)
    nibabel.save(image, path)
    return path


def write_pair(root, case, shift=0, without=(), codes="RAS"):
    """Writes the prediction and the reference of one case in `predictions` and `references`."""
    write(root / "predictions" / f"{case}.nii.gz", labels(shift, without), codes=codes)
    write(root / "references" / f"{case}.nii.gz", labels())
