"""The metrics of a case against medpy's `dc` and `assd`: seconds, ratio, peak memory, and that the values are the same.

Run: python -m pip install medpy && python benchmarks/metrics.py [--shape 140 512 512] [--rounds 3]
Makes the label maps of a CT with four organs, always the same, and scores them in a process of its own for each way: medpy organ
by organ as its users call it, this library's Dice and ASSD in millimetres, and all of its metrics (those, ASSD in voxels, the
directed parts, HD95, surface Dice and volume difference). Ways take turns and the fastest round of each counts; each runs on one
core. Peak memory is what a way needs beyond the interpreter, its libraries and both label maps. medpy has no wheel and is no
dependency of the project: it is built from source, and wants `SimpleITK`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from attent_tf.tasks import load_task

SPACING_MM = (3.0, 0.75, 0.75)
# Class index -> centre and half axes as shares of the field: slice from below, row from the front, column from the right.
SHAPES = {
    1: ((0.60, 0.40, 0.30), (0.24, 0.16, 0.17)),
    2: ((0.45, 0.62, 0.34), (0.17, 0.06, 0.05)),
    3: ((0.45, 0.62, 0.66), (0.17, 0.06, 0.05)),
    4: ((0.68, 0.50, 0.72), (0.15, 0.08, 0.07)),
}


def make_labels(shape: tuple[int, int, int], phase: float) -> np.ndarray:
    """[slice, row, column] uint8: organs with bumps, which another phase puts elsewhere."""
    z, y, x = (((np.arange(n) + 0.5) / n).reshape(np.roll((-1, 1, 1), axis)) for axis, n in enumerate(shape))
    labels = np.zeros(shape, np.uint8)
    for index, ((cz, cy, cx), (hz, hy, hx)) in SHAPES.items():
        u, v, w = (z - cz) / hz, (y - cy) / hy, (x - cx) / hx
        bumps = 0.12 * np.sin(4 * u + phase) * np.sin(5 * v - phase) + 0.08 * np.sin(9 * w + 3 * u + phase)
        labels[u**2 + v**2 + w**2 + bumps < 1] = index
    return labels


def with_medpy(prediction: np.ndarray, reference: np.ndarray) -> dict:
    """medpy, organ by organ."""
    from medpy.metric import binary

    scores = {}
    for index, organ in enumerate(load_task("abdomen").structure_names, start=1):
        masks = prediction == index, reference == index
        scores[organ] = {"dice": 100 * binary.dc(*masks), "assd_mm": binary.assd(*masks, voxelspacing=SPACING_MM)}
    return scores


def dice_and_assd(prediction: np.ndarray, reference: np.ndarray) -> dict:
    """The same two from this library."""
    from attent_tf.metrics.boxes import boxes_of_classes
    from attent_tf.metrics.overlap import dice
    from attent_tf.metrics.surface import assd

    scores = {}
    boxes = boxes_of_classes(prediction, reference, load_task("abdomen").num_classes)
    for index, (organ, box) in enumerate(zip(load_task("abdomen").structure_names, boxes, strict=True), start=1):
        masks = prediction[box] == index, reference[box] == index
        scores[organ] = {"dice": 100 * dice(*masks), "assd_mm": assd(*masks, SPACING_MM)}
    return scores


def all_metrics(prediction: np.ndarray, reference: np.ndarray) -> dict:
    """Everything that an evaluation holds."""
    from attent_tf.metrics.scores import score_case

    return score_case(prediction, reference, SPACING_MM, load_task("abdomen").structure_names)


WAYS = {"medpy dc + assd": with_medpy, "dice + assd": dice_and_assd, "all metrics": all_metrics}


def run_here(way: str, folder: Path) -> None:
    """Scores once and prints seconds, peak bytes and scores as JSON."""
    maps = [np.load(folder / f"{name}.npy") for name in ("prediction", "reference")]
    # Imports are not the work, and a small case brings in what is imported late.
    WAYS[way](*(labels[::16, ::16, ::16] for labels in maps))
    # Linux: lets the peak start anew from what is resident.
    Path("/proc/self/clear_refs").write_text("5")
    before = _peak_bytes()
    start = time.perf_counter()
    scores = WAYS[way](*maps)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "bytes": _peak_bytes() - before, "scores": scores}))


def _peak_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", type=int, nargs=3, default=(140, 512, 512), metavar="VOXELS")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        run_here(arguments.way, arguments.folder)
        return
    results: dict[str, list[dict]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        for name, phase in (("prediction", 0.0), ("reference", 0.7)):
            np.save(Path(folder) / f"{name}.npy", make_labels(tuple(arguments.shape), phase))
        for _ in range(arguments.rounds):
            for way in WAYS:
                command = [sys.executable, __file__, "--way", way, "--folder", folder]
                done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
                results[way].append(json.loads(done.stdout))
    slowest = min(run["seconds"] for run in results["medpy dc + assd"])
    print(f"Four organs in {'×'.join(map(str, arguments.shape))} voxels, best of {arguments.rounds}")
    print(f"{'':18}{'seconds':>9}{'ratio':>8}{'peak MiB':>10}")
    for way, runs in results.items():
        seconds, peak = min(run["seconds"] for run in runs), max(run["bytes"] for run in runs)
        print(f"{way:18}{seconds:9.2f}{slowest / seconds:8.1f}{peak / 2**20:10.0f}")
    scores = {way: runs[0]["scores"] for way, runs in results.items()}
    theirs = scores["medpy dc + assd"]
    apart = max(
        abs(scores[way][organ][metric] - theirs[organ][metric])
        for way in ("dice + assd", "all metrics")
        for organ in load_task("abdomen").structure_names
        for metric in ("dice", "assd_mm")
    )
    print(f"Dice and ASSD differ from medpy's by at most {apart:.1e}:")
    for organ in load_task("abdomen").structure_names:
        print(f"  {organ:13}Dice {theirs[organ]['dice']:6.2f} %  ASSD {theirs[organ]['assd_mm']:.4f} mm")
    if apart > 1e-9:
        raise SystemExit("the values are not the same")


if __name__ == "__main__":
    main()
