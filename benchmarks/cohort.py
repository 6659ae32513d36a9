"""`attent segment --cohort` in one worker process and in two: scans an hour, and the largest memory of a process.

    python benchmarks/cohort.py [--scans 8] [--shape 512 512 140] [--config demo] [--workers 1 2]

Makes one CT as benchmarks/segment.py does and lists links to it under as many names; the model is an export with fresh weights,
which is the worst case of the way back to the scan. Workers are processes of DirectRunner. One has all threads for TensorFlow; of
several each has its share of them. Scans an hour are those between the first results, as many as there are workers, and the last
one, so that starting and loading the model are not in them.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measured_process import ROOT, project_environment, run_measured
from segment import write_ct


def write_model(folder: Path, name: str) -> None:
    """Exports a run with fresh weights of a configuration."""
    from segment import write_fresh_run

    from attent_tf.export.saved_model import export_chain
    from attent_tf.runs import load_run

    write_fresh_run(folder / "run", name)
    export_chain(load_run(folder / "run"), folder / "model")


def write_list(folder: Path, scan: Path, count: int) -> Path:
    """Writes the list of a cohort whose scans are one, under as many names."""
    path = folder / "list.csv"
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["case", "path"])
        for number in range(count):
            link = folder / f"scan_{number}.nii.gz"
            link.symlink_to(scan)
            lines.writerow([f"case_{number}", link])
    return path


def measure(listed: Path, model: Path, out: Path, workers: int) -> str:
    """Segments the cohort; returns a line of the table."""
    several = [] if workers == 1 else ["--direct_running_mode=multi_processing"]
    flags = [*several, f"--direct_num_workers={workers}"]
    words = ["--cohort", str(listed), "--model", str(model), "--out", str(out)]
    threads = str(max(os.cpu_count() // workers, 1))
    environment = project_environment() | {
        "OMP_NUM_THREADS": threads,
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    command = [sys.executable, "-m", "cli.main", "segment", *words, "--", *flags]
    seconds, peak = run_measured(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    # The sidecar is written last.
    done = sorted(path.stat().st_mtime for path in out.glob("case_*.json"))
    rate = 3600 * (len(done) - workers) / (done[-1] - done[workers - 1])
    return f"{workers:8}{seconds:10.0f}{rate:13.0f}{peak / 2**20:12.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=8)
    parser.add_argument("--shape", type=int, nargs=3, default=(512, 512, 140), metavar="VOXELS")
    parser.add_argument("--config", choices=["demo", "paper", "recommended"], default="demo")
    parser.add_argument("--workers", type=int, nargs="+", default=(1, 2))
    parser.add_argument("--make-model", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.make_model:
        write_model(given.make_model, given.config)
        return
    if given.scans <= max(given.workers):
        parser.error(f"--scans: expected more than the {max(given.workers)} workers, found {given.scans}")
    with tempfile.TemporaryDirectory(prefix="cohort-") as scratch:
        folder = Path(scratch)
        write_ct(folder / "ct.nii.gz", tuple(given.shape))
        # A process of its own, so that one TensorFlow at a time holds memory.
        make = [sys.executable, __file__, "--config", given.config, "--make-model", str(folder)]
        subprocess.run(
            make, check=True, env=project_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        listed = write_list(folder, folder / "ct.nii.gz", given.scans)
        model = next((folder / "model").iterdir())
        print(
            f"{given.scans} scans of {'×'.join(map(str, given.shape))}, {given.config}, on {os.cpu_count()} cores",
            flush=True,
        )
        print(f"{'workers':>8}{'seconds':>10}{'scans/hour':>13}{'peak MiB':>12}", flush=True)
        for workers in given.workers:
            print(measure(listed, model, folder / f"out-{workers}", workers), flush=True)


if __name__ == "__main__":
    main()
