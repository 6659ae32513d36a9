"""`attent check`: how good a run is, as far as that can be told without labels."""

import textwrap

import click

from attent_tf.api.scoring import check as check_run
from attent_tf.signs import DEFAULT_CASES, RED

from . import options as shared
from .tables import LINE


@click.command()
@click.option(
    "--run",
    "run_folder",
    required=True,
    type=click.Path(),
    help="Trained run folder (attent train), or a package.",
)
@click.option("--records", required=True, type=click.Path(), help="Records folder with cases of the target.")
@click.option(
    "--split",
    type=click.Choice(["train", "test"]),
    default="train",
    show_default=True,
    help="Which of the target's cases to look at.",
)
@click.option(
    "--cases",
    type=click.IntRange(min=1),
    default=DEFAULT_CASES,
    show_default=True,
    help="Look at no more than this many cases, chosen evenly from all.",
)
@click.option("--out", type=click.Path(), metavar="JSON", help="Also write the signs to this file.")
@shared.calibration
@click.option("--strict", is_flag=True, help="Exit with 1 if the signs together are red.")
@click.pass_context
def check(ctx, run_folder, records, split, cases, out, calibration, strict):
    """Say how good a run is, without labels of its target.

    Signs are measured on scans of the target: how much of each structure is found, whether answers stay the same when a
    slice is mapped, scaled or translated there and back, how sure they are, and whether structures are in one piece. Each
    sign is green, amber or red; together they are red if one is, or if four are amber. No label of the target is read, so
    stages, settings and seeds may be chosen by the signs.

    \b
    Examples:
      attent check --run runs/attent --records records
      attent check --run runs/attent --records records --split test --out signs.json --strict
    """
    from attent_tf.runs import load_run

    run = load_run(run_folder)
    signs = check_run(run, records, split, cases, out, calibration)
    click.echo("\n".join(_lines(signs, run.task.titles)))
    if strict and signs.verdict == RED:
        ctx.exit(1)


def _lines(signs, titles):
    from attent_tf.reporting.wording import UNDEFINED, in_sentence

    from .tables import aligned, number

    rows = [["Sign", "Verdict", "Number", "Source"]]
    for sign in signs.signs:
        rows.append(
            [sign.title, sign.verdict, number(sign.value), "" if sign.reference is None else number(sign.reference)]
        )
    rows.append(["Together", signs.verdict, "", ""])
    yield from aligned(rows, left=2)
    for sign in signs.signs:
        yield ""
        yield from textwrap.wrap(f"{sign.title}: {sign.meaning} {sign.thresholds.capitalize()}.", LINE)
        if sign.organs:
            structures = (
                f"{in_sentence(titles[name])} {UNDEFINED if value is None else number(value)}"
                for name, value in sign.organs.items()
            )
            yield from textwrap.wrap(", ".join(structures), LINE, initial_indent="  ", subsequent_indent="  ")
    if signs.left_out:
        yield ""
        left_out = "; ".join(f"{sign.title.lower()} ({sign.reason})" for sign in signs.left_out)
        yield from textwrap.wrap(f"Left out: {left_out}.", LINE)
    if signs.estimate:
        yield ""
        yield from textwrap.wrap(signs.estimate.sentence, LINE)
    yield ""
    yield from textwrap.wrap(f"Looked at {signs.slices} slices of {', '.join(signs.cases)}.", LINE)
