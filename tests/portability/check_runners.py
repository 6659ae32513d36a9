"""The same job on several runners, and the same bytes from each.

Run: make check-runners, or python -m tests.portability.check_runners
Preprocesses a small phantom and segments its CTs as a cohort on DirectRunner in one process and with two worker processes,
through a job server over gRPC (PortableRunner, workers of environment LOOPBACK), and on Flink and Spark as their job servers run
them. These are fetched by their Maven coordinates; without Java or Maven they are skipped with a line, and otherwise they have to
run. The exit code is 1 if a file differs or a runner fails.

By hand: `--spark-cluster` adds a master and a worker of Spark, `--prism PROGRAM` adds Prism; `--only TEXT` leaves out what
is not called so, but for the one process that all are compared with.
"""

import argparse
import functools
import logging
import sys
import tempfile
from pathlib import Path

from tests.portability.runners import RUNNERS, compare, prism_flags, spark_cluster_flags
from tests.support.jobs import abdomen_options


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spark-cluster", action="store_true", help="add a master and a worker of Spark")
    parser.add_argument("--prism", metavar="PROGRAM", help="add Prism, which this program is")
    parser.add_argument("--only", metavar="TEXT", action="append", help="runners that have this in their names")
    arguments = parser.parse_args()
    logging.disable(logging.ERROR)
    runners = dict(RUNNERS)
    if arguments.spark_cluster:
        runners["SparkRunner, master and worker"] = spark_cluster_flags
    if arguments.prism:
        runners["PrismRunner"] = functools.partial(prism_flags, arguments.prism)
    first, *others = runners
    chosen = [name for name in others if any(text in name for text in arguments.only or [""])]
    runners = {name: runners[name] for name in (first, *chosen)}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        _write_data(scratch)
        print("preprocess", flush=True)
        right = compare(scratch / "records", functools.partial(_preprocess, scratch), runners)
        print("cohort", flush=True)
        model = _export(scratch)
        # Sidecars tell how long it took.
        right &= compare(
            scratch / "results",
            functools.partial(_segment, scratch, model),
            runners,
            lambda file: file.endswith(".nii.gz") or not file.startswith("img"),
        )
    return not right


def _write_data(scratch: Path) -> None:
    from attent_tf.phantom import write_phantom

    write_phantom(scratch / "phantom", subjects=2, seed=0)
    scans = sorted((scratch / "phantom" / "malbcv").rglob("img*.nii.gz"))
    (scratch / "list.csv").write_text("path\n" + "".join(f"{scan}\n" for scan in scans))


def _export(scratch: Path) -> Path:
    """Returns the folder of an exported version with random weights."""
    from attent_tf.export.saved_model import export_chain
    from tests.support.untrained_runs import write_untrained_run

    return export_chain(write_untrained_run(scratch / "run"), scratch / "models").folder


def _preprocess(scratch: Path, out: Path, flags: list[str]) -> None:
    import beam_preprocess

    data = scratch / "phantom"
    options = abdomen_options(
        out=str(out), mri=str(data / "chaos"), ct=str(data / "malbcv"), split="none", preview=True
    )
    beam_preprocess.run(options, flags)


def _segment(scratch: Path, model: Path, out: Path, flags: list[str]) -> None:
    from attent_tf.cohort import read_cohort
    from beam_preprocess.cohort import CohortOptions, run_cohort

    run_cohort(read_cohort(scratch / "list.csv"), CohortOptions(str(model), str(out), batch_size=8), flags)


if __name__ == "__main__":
    sys.exit(main())
