"""`attent segment`: the share of its time that the networks take, and its largest memory.

Run: python benchmarks/segment.py [--shape 512 512 140] [--configs demo paper] [--run RUN] [--rounds 1] [--all-outputs]
Makes one CT of that shape out of the phantom's anatomy, and runs `attent segment` on it in a process of its own: with fresh
weights of each configuration (method attent, mri2ct), or with a trained run whose target is CT. Prints the seconds of each phase
as `--report` gives them, the rest beside the network as a share of the scan's time, and the process's largest resident memory.
Fresh weights are the worst case of the way back to the scan: they find organs everywhere, where a trained network leaves most
of a scan to the background and little has to be resampled.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from measured_process import ROOT, project_environment, run_measured

from attent_tf.tasks import load_task

PHASES = ("reading", "preparing", "network", "resampling", "writing")

_SLICES_PAINTED = 140
_LENGTH_MM = 350.0


def write_ct(path: Path, shape: tuple[int, int, int]) -> None:
    """Writes a CT of [columns, rows, slices] in LPS, int16; of more than 140 slices, the same ones again and again."""
    import nibabel

    from attent_tf.phantom.anatomy import make_anatomy
    from attent_tf.phantom.appearance_ct import appearance_ct
    from attent_tf.phantom.scanner import ScanGrid
    from attent_tf.volumes import write_scan

    columns, rows, slices = shape
    painted = min(slices, _SLICES_PAINTED)
    anatomy_rng, look_rng = np.random.default_rng(0).spawn(2)
    anatomy = make_anatomy(anatomy_rng)
    side, front, back = anatomy.torso.outer_mm
    step_mm, pixel_mm = _LENGTH_MM / painted, (2 * side + 40) / min(rows, columns)
    centre = (0.0, (front - back) / 2, anatomy.torso.dome_mm + 20 - (painted - 1) * step_mm / 2)
    grid = ScanGrid.centred((painted, rows, columns), (step_mm, pixel_mm, pixel_mm), centre, np.eye(4))
    image = appearance_ct(grid.paint(anatomy), grid, look_rng)
    # Every second round runs backwards, so that the patient has no seams.
    order = np.abs((np.arange(slices) + painted) % (2 * painted) - painted) % painted
    start = nibabel.orientations.io_orientation(grid.affine)
    turn = nibabel.orientations.ornt_transform(start, nibabel.orientations.axcodes2ornt("LPS"))
    affine = grid.affine @ nibabel.orientations.inv_ornt_aff(turn, image.shape)
    stored = nibabel.orientations.apply_orientation(image, turn)
    write_scan(path, stored[..., order], affine, np.int16)


def write_fresh_run(folder: Path, name: str) -> None:
    """Writes a run folder of the method attent, mri2ct, whose checkpoints hold weights as training starts with them."""
    import tensorflow as tf

    from attent_tf.configs import load_config
    from attent_tf.methods import get_method
    from attent_tf.runs import Run
    from attent_tf.runs.networks import make_part, stored
    from attent_tf.runs.run import create_or_check
    from attent_tf.volumes import PrepareOptions

    config = load_config(name, ["segmentation.weights=none"])
    run = Run(folder, get_method("attent"), "mri2ct", config, "fresh weights", PrepareOptions(), load_task())
    create_or_check(run, ())
    for role in run.method.deployed:
        network = make_part(run.method.part(role), config, run.task, run.direction)
        network(tf.zeros((1, config.data.image_size, config.data.image_size, 1)))
        checkpoint = tf.train.Checkpoint(**{network.name: stored(network)})
        folder = run.stage_folder(run.method.stage_of(role).id) / "checkpoints"
        tf.train.CheckpointManager(checkpoint, str(folder), 1).save(0)


def measured(run: Path, scan: Path, out: Path, flags: list[str]) -> tuple[dict, float, float]:
    """Segments the scan; returns the report, the command's seconds and the largest memory of its process in bytes."""
    report = out / "report.json"
    words = ["--run", run, "--input", scan, "--out", out / "labels.nii.gz", "--report", report, *flags]
    command = [sys.executable, "-m", "cli.main", "segment", *map(str, words)]
    seconds, peak = run_measured(command, cwd=ROOT, env=project_environment(), stdout=subprocess.DEVNULL)
    return json.loads(report.read_text()), seconds, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", type=int, nargs=3, default=(512, 512, 140), metavar="VOXELS")
    parser.add_argument(
        "--configs", nargs="*", default=["demo", "paper"], help="configurations to take fresh weights of"
    )
    parser.add_argument("--run", type=Path, help="a trained run with target CT, to measure as well")
    parser.add_argument("--rounds", type=int, default=1, help="times that each runs; the fastest counts")
    parser.add_argument("--batch-size", default="auto")
    parser.add_argument("--all-outputs", action="store_true", help="with --entropy --probabilities --preview")
    parser.add_argument("--scan", type=Path, help="a CT of your own, or where the one that is made stays")
    arguments = parser.parse_args()
    flags = ["--batch-size", arguments.batch_size]
    flags += ["--entropy", "--probabilities", "--preview"] if arguments.all_outputs else []
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        scan = arguments.scan or place / "ct.nii.gz"
        if not scan.exists():
            write_ct(scan, tuple(arguments.shape))
        runs = {}
        for name in arguments.configs:
            runs[f"{name}, fresh"] = place / name
            # A process of its own, so that one TensorFlow at a time holds memory.
            code = f"from pathlib import Path; import segment; segment.write_fresh_run(Path({str(place / name)!r}), {name!r})"
            folder = Path(__file__).resolve().parent
            environment = os.environ | {"PYTHONPATH": f"{folder}:{folder.parent}", "TF_CPP_MIN_LOG_LEVEL": "3"}
            subprocess.run([sys.executable, "-c", code], check=True, env=environment, stderr=subprocess.DEVNULL)
        if arguments.run:
            runs["trained"] = arguments.run
        print(f"{'':16}" + "".join(f"{phase:>12}" for phase in (*PHASES, "rest", "starting", "command", "peak MiB")))
        for title, run in runs.items():
            rounds = []
            for turn in range(arguments.rounds):
                out = place / f"out-{turn}"
                out.mkdir(exist_ok=True)
                rounds.append(measured(run, scan, out, flags))
            report, seconds, peak = min(rounds, key=lambda timed: timed[1])
            spent = report["scans"][0]["seconds"]
            rest = 1 - spent["network"] / sum(spent.values())
            print(
                f"{title:16}"
                + "".join(f"{spent[phase]:12.2f}" for phase in PHASES)
                + f"{100 * rest:11.1f}%{report['seconds']['starting']:12.2f}{seconds:12.2f}{peak / 2**20:12.0f}"
            )


if __name__ == "__main__":
    main()
