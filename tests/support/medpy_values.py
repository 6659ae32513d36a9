"""Scores of a few masks by medpy, kept because medpy has no wheel and is no dependency of the tests.

Written once with medpy 0.5.2, SimpleITK 2.5 and NumPy 2.4:
    pip install medpy && python -m tests.support.medpy_values
"""

import json
from pathlib import Path

import numpy as np

PATH = Path(__file__).with_name("medpy_values.json")
COUNT = 12


def pair(index):
    """Two masks and a spacing from whole numbers alone, the same on every machine."""
    slices, rows, columns = shape = (4 + index % 3, 9 + index, 12)
    z, y, x = np.indices(shape)
    centre = (slices // 2, rows // 2, columns // 2)
    spread = 4 + index

    def blob(shift, bumps):
        reach = 9 * (z - centre[0]) ** 2 + (y - centre[1] - shift) ** 2 + (x - centre[2]) ** 2
        return reach + (bumps * z * y + 5 * x * y + 3 * x) % 7 < 3 * spread

    return blob(0, 2), blob(index % 4, 3), (5.0, 1.5, 0.75 + 0.25 * (index % 4))


def main():
    from medpy.metric import binary

    values = []
    for index in range(COUNT):
        prediction, reference, spacing = pair(index)
        for connectivity in (1, 2, 3):
            both = {"voxelspacing": spacing, "connectivity": connectivity}
            values.append(
                {
                    "pair": index,
                    "connectivity": connectivity,
                    "dc": float(binary.dc(prediction, reference)),
                    "assd": float(binary.assd(prediction, reference, **both)),
                    "assd_voxel": float(binary.assd(prediction, reference, connectivity=connectivity)),
                    "asd": float(binary.asd(prediction, reference, **both)),
                    "hd95": float(binary.hd95(prediction, reference, **both)),
                    "hd": float(binary.hd(prediction, reference, **both)),
                }
            )
    PATH.write_text("[\n" + ",\n".join(json.dumps(value) for value in values) + "\n]\n")


if __name__ == "__main__":
    main()
