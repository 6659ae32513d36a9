"""NIfTI headers with odd units, codes, quaternions, forms and scalings, each of which some program writes."""

import math
import random
from pathlib import Path

import nibabel
import numpy as np

from attent_tf.volumes import read_nifti, read_nifti_labels
from attent_tf.volumes.nifti_header import read_placement
from tests.support.nifti_fields import set_fields

_NUMBERS = (0.0, 1.0, -1.0, 0.5, 1.0000006, 1e-6, 1e3, 1e30, math.nan, math.inf, 3.99998)
_CODES = (0, 1, 2, 4, 5, -1, 255, 32767)
_UNITS = (0, 1, 2, 3, 4, 8, 10, 255)


def read_odd_header(folder: Path, draw: random.Random) -> None:
    """Writes a small scan whose header says odd things, and reads it as a scan, as labels and for its place."""
    kind = draw.choice((nibabel.Nifti1Image, nibabel.Nifti2Image))
    image = kind((np.arange(60).reshape(5, 4, 3) % 5).astype(draw.choice((np.uint8, np.int16, np.float32))), None)
    affine = np.diag([1.5, 1.5, 4.0, 1.0])
    if draw.random() < 0.5:
        affine[:3] += [[draw.uniform(-1, 1) for _ in range(4)] for _ in range(3)]
    image.set_sform(affine, draw.choice((0, 1)))
    image.set_qform(np.diag([1.5, 1.5, 4.0, 1.0]), draw.choice((0, 1)))
    path = folder / draw.choice(("odd.nii", "odd.nii.gz"))
    path.write_bytes(image.to_bytes())
    fields = {
        "xyzt_units": lambda: draw.choice(_UNITS),
        "sform_code": lambda: draw.choice(_CODES),
        "qform_code": lambda: draw.choice(_CODES),
        "quatern_b": lambda: draw.choice(_NUMBERS),
        "quatern_c": lambda: draw.uniform(-1.1, 1.1),
        "quatern_d": lambda: draw.choice(_NUMBERS),
        "qoffset_x": lambda: draw.choice(_NUMBERS),
        "srow_y": lambda: [draw.choice(_NUMBERS) for _ in range(4)],
        "scl_slope": lambda: draw.choice(_NUMBERS),
        "scl_inter": lambda: draw.choice(_NUMBERS),
        "pixdim": lambda: [draw.choice((1, -1, 0, 3)), *(draw.choice((1.5, 0.0, 1e-3, 7e3)) for _ in range(7))],
    }
    chosen = draw.sample(sorted(fields), draw.randrange(1, 5))
    # Numbers that a field cannot hold become infinite there, as a careless writer would have them.
    with np.errstate(over="ignore"):
        set_fields(path, **{name: fields[name]() for name in chosen})
    policy = draw.choice(("strict", "trust_affine"))
    reader = draw.choice((read_nifti, read_nifti_labels))
    _, found = reader(path, policy)
    assert np.isfinite(found).all(), found
    placement, warnings = read_placement(path, policy)
    assert all("\n" not in line and str(path) in line for line in warnings), warnings
    assert placement is not None
