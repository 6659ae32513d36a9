"""`attent preprocess` against a plain loop over the same scans: cases a second, and the memory of a worker.

Run: python benchmarks/preprocessing.py [--cases 30] [--shape 512 512 200] [--rounds 1] [--profile]
Makes that many labelled CTs in MALBCV's layout (30 of 512×512×200 take 2 GB and two minutes) and runs, each in a process of
its own and in turns: the loop, the job in one process, the job with two worker processes. Prints for each the seconds, cases
a second, the ratio to the loop, and the largest resident memory of any of its processes, also as a multiple of one scan in
float32. The loop reads with nibabel and does the same arithmetic with this library's functions, without Beam, checksums of
the input, checks of the folder or a manifest.
"""

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

import nibabel
import numpy as np
from measured_process import run_measured

SPACING_MM = (0.75, 0.75, 3.0)
# MALBCV's label -> centre and half axes as shares of the field, patient right to left, front to back, feet to head.
ORGANS = {
    6: ((0.30, 0.40, 0.60), (0.14, 0.15, 0.20)),
    2: ((0.34, 0.62, 0.45), (0.05, 0.06, 0.12)),
    3: ((0.66, 0.62, 0.45), (0.05, 0.06, 0.12)),
    1: ((0.72, 0.48, 0.62), (0.07, 0.08, 0.10)),
}


def write_cases(root: Path, count: int, shape: tuple[int, int, int]) -> None:
    """Writes labelled CTs: a body in air on noise, every one a little different."""
    rng = np.random.default_rng(0)
    axes = [((np.arange(size) + 0.5) / size).reshape(np.roll((-1, 1, 1), axis)) for axis, size in enumerate(shape)]
    labels = np.zeros(shape, np.uint8)
    for label, (centre, half) in ORGANS.items():
        inside = sum(((axis - c) / h) ** 2 for axis, c, h in zip(axes, centre, half, strict=True)) < 1
        labels[inside] = label
    body = ((axes[0] - 0.5) / 0.42) ** 2 + ((axes[1] - 0.5) / 0.3) ** 2 < 1
    noise = rng.normal(0, 12, shape).astype(np.int16)
    voxels = np.where(labels > 0, np.int16(110), np.where(body, np.int16(40), np.int16(-1000)))
    # Stored as MALBCV mostly is: first axis to the patient's left, second to the front.
    affine = np.diag([-SPACING_MM[0], SPACING_MM[1], SPACING_MM[2], 1.0])
    for folder in ("img", "label"):
        (root / "RawData" / "Training" / folder).mkdir(parents=True)
    for number in range(1, count + 1):
        scan = voxels + np.roll(noise, 1009 * number)
        for folder, array in (("img", scan), ("label", labels)):
            image = nibabel.Nifti1Image(array[:, ::-1], affine)
            image.set_sform(affine, code=1)
            nibabel.save(image, root / "RawData" / "Training" / folder / f"{folder}{number:04d}.nii.gz")


def plain_loop(root: Path, out: Path) -> None:
    """Reads with nibabel and writes one TFRecord file, case after case."""
    from attent_tf.data import schema
    from attent_tf.data.selection import choose_slices
    from attent_tf.tasks import load_task
    from attent_tf.tfrecord import framing
    from attent_tf.volumes import Volume, prepare

    task = load_task()
    ct = task.domain("ct")
    table = np.zeros(14, np.uint8)
    table[[6, 2, 3, 1]] = 1, 2, 3, 4
    out.mkdir()
    with (out / "slices.tfrecord").open("wb") as file:
        for path in sorted((root / "RawData" / "Training" / "img").iterdir()):
            image = nibabel.load(path)
            labels = nibabel.load(str(path).replace("img", "label"))
            volume = Volume(
                image.get_fdata(dtype=np.float32), image.affine, path.name, ct, table[np.asarray(labels.dataobj)]
            )
            prepared = prepare(volume, task=task)
            for index in choose_slices(prepared.images, prepared.labels, "body", path.name):
                record = schema.SliceRecord(
                    prepared.images[index],
                    prepared.labels[index],
                    path.name,
                    "ct",
                    "train",
                    int(index),
                    len(prepared.images),
                    prepared.geometry,
                )
                file.write(framing.frame(schema.encode(record, task)))


def profile(root: Path, out: Path) -> None:
    """Prints where the job in one process spends its time."""
    import cProfile
    import pstats

    import apache_beam  # noqa: F401 - its import is not the job's time

    with cProfile.Profile() as profiler:
        job(root, out, 1)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(16)


def job(root: Path, out: Path, workers: int) -> None:
    """Runs the library's job."""
    import beam_preprocess
    from attent_tf.tasks import load_task

    flags = [] if workers == 1 else ["--direct_running_mode=multi_processing", f"--direct_num_workers={workers}"]
    options = beam_preprocess.PreprocessOptions(str(out), load_task(), {"ct": str(root)}, split="ratio")
    beam_preprocess.run(options, flags)


WAYS = {
    "plain loop": plain_loop,
    "job, one process": lambda root, out: job(root, out, 1),
    "job, two workers": lambda root, out: job(root, out, 2),
}


def measured(way: str, root: Path, out: Path) -> tuple[float, float]:
    """Runs a way in a process of its own; returns its seconds and the peak memory, in bytes, of its largest process."""
    command = [sys.executable, __file__, "--way", way, "--root", str(root), "--out", str(out)]
    return run_measured(command)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=30)
    parser.add_argument("--shape", type=int, nargs=3, default=(512, 512, 200), metavar="VOXELS")
    parser.add_argument("--rounds", type=int, default=1, help="times that each way runs; the fastest counts")
    parser.add_argument("--folder", type=Path, help="where the scans lie, or are made and stay; temporary by default")
    parser.add_argument("--profile", action="store_true", help="show where the job spends its time instead")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        WAYS[arguments.way](arguments.root, arguments.out)
        return
    with tempfile.TemporaryDirectory() as scratch:
        root = arguments.folder or Path(scratch) / "scans"
        if not root.exists():
            write_cases(root, arguments.cases, tuple(arguments.shape))
        if arguments.profile:
            profile(root, Path(scratch) / "out")
            return
        count = len(list((root / "RawData" / "Training" / "img").iterdir()))
        results = {way: [] for way in WAYS}
        for turn in range(arguments.rounds):
            for index, way in enumerate(WAYS):
                results[way].append(measured(way, root, Path(scratch) / f"out-{turn}-{index}"))
        one_scan = 4 * int(np.prod(arguments.shape))
        plain = min(seconds for seconds, _ in results["plain loop"])
        print(f"{count} cases of {'×'.join(map(str, arguments.shape))}, {one_scan / 2**20:.0f} MiB in float32")
        print(f"{'':18}{'seconds':>9}{'cases/s':>9}{'ratio':>7}{'peak MiB':>10}{'× scan':>8}")
        for way, runs in results.items():
            seconds, peak = min(run[0] for run in runs), max(run[1] for run in runs)
            print(
                f"{way:18}{seconds:9.1f}{count / seconds:9.2f}{plain / seconds:7.2f}{peak / 2**20:10.0f}{peak / one_scan:8.2f}"
            )
        if not arguments.folder:
            written = {
                hashlib.sha256((Path(scratch) / f"out-0-{index}" / "manifest.json").read_bytes()).hexdigest()
                for index in (1, 2)
            }
            print("The two jobs wrote the same manifest." if len(written) == 1 else "THE TWO JOBS DIFFER.")


if __name__ == "__main__":
    main()
