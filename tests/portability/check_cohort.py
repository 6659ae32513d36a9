"""The cohort job on several runners, and the same label maps and manifest from each.

Run: make check-runners, or python -m tests.portability.check_cohort
Exports networks with random weights and segments the CTs of a small phantom on the runners of `check_runners`; Flink is skipped
with a line where its job server cannot be had. The exit code is 1 if a file differs or a runner fails.
"""

import logging
import sys
import tempfile
import time
from pathlib import Path

from tests.portability.check_runners import RUNNERS, Skipped, contents


def main() -> int:
    logging.disable(logging.ERROR)
    with tempfile.TemporaryDirectory() as scratch:
        model, listed = _prepare(Path(scratch))
        reference, failed = None, []
        for number, (name, make_flags) in enumerate(RUNNERS.items()):
            out = Path(scratch) / f"results-{number}"
            start = time.monotonic()
            try:
                with make_flags() as flags:
                    _run(model, listed, out, flags)
            except Skipped as reason:
                print(f"skipped: {name}: {reason}", flush=True)
                continue
            except Exception as error:
                print(f"FAILED: {name}: {error}", flush=True)
                failed.append(name)
                continue
            # Sidecars tell how long it took.
            found = {
                file: digest
                for file, digest in contents(out).items()
                if file.endswith(".nii.gz") or not file.startswith("img")
            }
            reference = reference or found
            same = found == reference
            if not same:
                failed.append(name)
            verdict = "the same bytes" if same else "DIFFERENT BYTES"
            print(f"{name}: {len(found)} files, {verdict}, {time.monotonic() - start:.1f} s", flush=True)
    return bool(failed)


def _prepare(scratch: Path) -> tuple[Path, Path]:
    """Returns the folder of an exported version, and a list of scans."""
    from attent_tf.export.saved_model import export_chain
    from attent_tf.phantom import write_phantom
    from tests.support.untrained_runs import write_untrained_run

    write_phantom(scratch / "phantom", subjects=2, seed=0)
    scans = sorted((scratch / "phantom" / "malbcv").rglob("img*.nii.gz"))
    listed = scratch / "list.csv"
    listed.write_text("path\n" + "".join(f"{scan}\n" for scan in scans))
    return export_chain(write_untrained_run(scratch / "run"), scratch / "models").folder, listed


def _run(model: Path, listed: Path, out: Path, flags: list[str]) -> None:
    from attent_tf.cohort import read_cohort
    from beam_preprocess.cohort import CohortOptions, run_cohort

    run_cohort(read_cohort(listed), CohortOptions(str(model), str(out), batch_size=8), flags)


if __name__ == "__main__":
    sys.exit(main())
