"""`attent preprocess`: folders of scans in, a records folder out."""

import collections
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

import click

from attent_tf.errors import AttentError
from cli import console


@click.command()
@click.option(
    "--mri", type=click.Path(), metavar="DIR", help="MRI cases: a CHAOS folder, or images/ and labels/ with NIfTI."
)
@click.option(
    "--ct", type=click.Path(), metavar="DIR", help="CT cases: a MALBCV folder, or images/ and labels/ with NIfTI."
)
@click.option(
    "--out", type=click.Path(), metavar="RECORDS", required=True, help="Folder to make; it must not exist yet."
)
@click.option(
    "--split",
    type=click.Choice(["sifa", "ratio", "none"]),
    default="sifa",
    show_default=True,
    help="sifa: the published test cases of CHAOS and MALBCV. ratio: 4:1 by patient, drawn from --seed. "
    "none: every case both trains and tests.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="What --split ratio draws from.")
@click.option(
    "--slices",
    type=click.Choice(["body", "organs", "all"]),
    default="body",
    show_default=True,
    help="Slices of training cases. body: drops ends that show only air. organs: the paper's rule, slices with a "
    "labelled organ (it uses labels, of the target domain too). Test cases keep all slices.",
)
@click.option(
    "--geometry",
    type=click.Choice(["physical", "resize"]),
    default="physical",
    show_default=True,
    help="physical: 256×256 pixels of --pixel-mm, centred on the body. resize: the whole slice, as in the paper.",
)
@click.option("--pixel-mm", type=float, default=1.6, show_default=True, help="Pixel size of --geometry physical.")
@click.option(
    "--orientation-policy",
    type=click.Choice(["strict", "trust_affine"]),
    default="strict",
    show_default=True,
    help="NIfTI files whose sform and qform codes are both 0: refuse, or trust the affine that stands there.",
)
@click.option("--shards", type=int, help="Number of TFRecord files.  [default: one a case, at most 8]")
@click.option("--verbose", is_flag=True, help="Show Beam's own messages.")
@click.argument("beam_options", nargs=-1, type=click.UNPROCESSED, metavar="[-- BEAM OPTIONS]")
def preprocess(
    mri, ct, out, split, seed, slices, geometry, pixel_mm, orientation_policy, shards, verbose, beam_options
):
    """Turn MRI and CT folders into sliced TFRecords.

    One of --mri and --ct is enough for supervised training or for inference; adaptation needs both. What follows `--`
    goes to Apache Beam.

    \b
    Examples:
      attent preprocess --mri CHAOS --ct MALBCV --out records
      attent preprocess --mri CHAOS --ct MALBCV --out records --split ratio --seed 1
      attent preprocess --ct my_scans --out records --split none
      attent preprocess --mri CHAOS --ct MALBCV --out records -- \\
          --direct_running_mode=multi_processing --direct_num_workers=4
    """
    import beam_preprocess
    from attent_tf.volumes import PrepareOptions

    options = beam_preprocess.PreprocessOptions(
        out=out,
        mri=mri,
        ct=ct,
        split=split,
        seed=seed,
        slices=slices,
        prepare=PrepareOptions(geometry=geometry, pixel_mm=pixel_mm),
        orientation_policy=orientation_policy,
        shards=shards,
    )
    console.heading("Preprocess")
    with contextlib.nullcontext() if verbose else beam_kept_quiet():
        manifest = beam_preprocess.run(options, beam_options, report=console.say)
    for line in summary(manifest):
        console.say(line)
    console.say(f"Records are in {out}")


def summary(manifest) -> list[str]:
    """Returns a table of the domains of a manifest, and what a reader should know about its splits, as lines."""
    rows = [("domain", "cases", "train", "test", "slices", "shards")]
    for domain in sorted({case.domain for case in manifest.cases}):
        cases = [case for case in manifest.cases if case.domain == domain]
        splits = collections.Counter(case.split for case in cases)
        train, test = splits["train"] + splits["all"], splits["test"] + splits["all"]
        counts = (len(cases), train, test, sum(case.slices for case in cases), len({case.shard for case in cases}))
        rows.append((domain, *map(str, counts)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    if any(case.split == "all" for case in manifest.cases):
        lines.append("Split none: every case both trains and tests, so scores on these records are no test results.")
    if any(case.uses_labels_for_selection for case in manifest.cases):
        lines.append("Slices organs: labels chose the training slices, in the target domain too.")
    return lines


@contextlib.contextmanager
def beam_kept_quiet() -> Iterator[None]:
    """Keeps what Beam, its worker processes and gRPC write to standard error; shows it if something fails unforeseen.

    Beam logs every error several times with its traceback, and worker processes do so whatever their parent's settings.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as log:
        kept = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield
        except (AttentError, KeyboardInterrupt):
            raise
        except BaseException:
            sys.stderr.flush()
            log.seek(0)
            os.write(kept, log.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
