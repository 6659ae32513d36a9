"""Training steps a second of one process with all threads, and of as many processes at once with one thread each.

    python benchmarks/several_runs.py --size demo --steps 40 --rounds 3

This is what `attent benchmark --workers` chooses between. Both take turns, and the fastest round of each counts; on a machine
with other work, both are slower, and one process suffers less than several.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import train_step

FOLDER = Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=["demo", "paper", "recommended"], default="demo", help="configuration")
    parser.add_argument("--stages", default=",".join(train_step.STAGES))
    parser.add_argument("--steps", type=int, default=40, help="timed steps of each process")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="in all")
    arguments = parser.parse_args()
    for stage in arguments.stages.split(","):
        setting = train_step.Setting(arguments.size, stage, arguments.steps, real=True)
        ways = {"one process": (1, arguments.threads), "processes of one thread": (arguments.threads, 1)}
        best = dict.fromkeys(ways, 0.0)
        for _ in range(arguments.rounds):
            for name, way in ways.items():
                best[name] = max(best[name], steps_a_second(setting, *way))
        alone, together = best.values()
        print(
            f"{stage}, {arguments.size}, {arguments.threads} threads: one process {alone:.2f} steps/s, "
            f"{arguments.threads} processes {together:.2f} steps/s together, ratio {together / alone:.2f}",
            flush=True,
        )


def steps_a_second(setting: train_step.Setting, processes: int, threads: int) -> float:
    """Returns the steps a second of processes that train at once, each with so many threads."""
    command = [sys.executable, str(FOLDER / "train_step.py"), "--one", json.dumps(dataclasses.asdict(setting))]
    environment = {
        **os.environ,
        "PYTHONPATH": str(FOLDER.parent),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OMP_NUM_THREADS": str(threads),
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": str(threads),
    }
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(processes)
    ]
    answers = [process.communicate()[0].splitlines() for process in running]
    if any(process.returncode for process in running):
        raise SystemExit("several_runs.py: a training process failed; run benchmarks/train_step.py to see why")
    return sum(1 / json.loads(lines[-1])["seconds"] for lines in answers)


if __name__ == "__main__":
    main()
