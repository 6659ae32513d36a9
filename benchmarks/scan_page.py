"""`attent segment --page`: how large the page of a CT is, and how long it takes to write.

Run: python benchmarks/scan_page.py [--shape 512 512 140] [--out page.html]
Makes one CT of that shape out of the phantom's anatomy, with an ellipsoid for each structure as its label map, and prints the
bytes of the page, the seconds that it took without reading the scan, and the largest resident memory of the process.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from segment import write_ct

from attent_tf.reporting.scan_page import write_scan_page
from attent_tf.tasks import load_task
from attent_tf.volumes import read_scan


def ellipsoids(shape: tuple[int, int, int], count: int) -> np.ndarray:
    """Returns [i, j, k] uint8 labels 1 … count, side by side in the middle of a volume."""
    grids = np.ogrid[tuple(slice(-1, 1, complex(0, size)) for size in shape)]
    labels = np.zeros(shape, np.uint8, order="F")
    for place in range(count):
        centre = -0.6 + 1.2 * place / max(1, count - 1)
        labels[((grids[0] - centre) / 0.18) ** 2 + (grids[1] / 0.3) ** 2 + (grids[2] / 0.5) ** 2 < 1] = place + 1
    return labels


def main():
    """Prints what a page takes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", type=int, nargs=3, default=(512, 512, 140), metavar="VOXELS")
    parser.add_argument("--out", type=Path, help="keep the page here")
    arguments = parser.parse_args()
    task = load_task()
    with tempfile.TemporaryDirectory() as folder:
        write_ct(Path(folder) / "scan.nii.gz", tuple(arguments.shape))
        volume = read_scan(Path(folder) / "scan.nii.gz", task.domain("ct"))
        labels = ellipsoids(volume.shape, len(task.structure_names))
        page = arguments.out or Path(folder) / "page.html"
        began = time.perf_counter()
        write_scan_page(page, volume, labels, task, "scan", "Ellipsoids", dict.fromkeys(task.structure_names, 1.0))
        seconds, size = time.perf_counter() - began, page.stat().st_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{size / 1e6:.1f} MB, {seconds:.1f} s, {peak:.0f} MiB")


if __name__ == "__main__":
    main()
