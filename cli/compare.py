"""`attent compare`: runs beside each other over the same cases."""

import textwrap
from pathlib import Path

import click

from attent_tf.counting import counted
from attent_tf.metrics.scores import METRICS

from .tables import LINE


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(), metavar="RUN RUN...")
@click.option(
    "--metric",
    type=click.Choice(METRICS),
    default="dice",
    show_default=True,
    help="The score to compare, for each structure.",
)
@click.option("--common-cases", is_flag=True, help="Compare only the cases that all runs have, and list the others.")
@click.option(
    "--against-first", is_flag=True, help="Compare the first run with each of the others, instead of every pair."
)
@click.option("--out", type=click.Path(), metavar="DIR", help="Folder to make: JSON, CSV, and the plot as SVG and PNG.")
@click.option("--overwrite", is_flag=True, help="Replace an existing comparison.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON instead of tables.")
def compare(runs, metric, common_cases, against_first, out, overwrite, as_json):
    """Compare runs over the same cases: means, intervals, paired tests, effect sizes.

    A RUN is an evaluation folder (attent evaluate), or a run folder that holds one as `evaluation`. Runs that were scored by
    different protocols, on other cases or against other references are refused.

    \b
    Examples:
      attent compare runs/attent runs/source_only
      attent compare runs/attent runs/pixel scores/nnunet --metric assd_mm --out comparison
    """
    from attent_tf.evaluation.comparison import compare_runs, read_runs

    comparison = compare_runs(read_runs(runs), metric, common_cases, against_first)
    if out:
        _write(comparison, out, overwrite)
    if as_json:
        from attent_tf.evaluation.comparison_files import comparison_json
        from attent_tf.files import json_bytes

        click.echo(json_bytes(comparison_json(comparison)), nl=False)
        return
    for line in _lines(comparison):
        click.echo(line)
    if out:
        click.echo(f"Plot: {Path(out) / 'comparison.svg'}")


def _write(comparison, out, overwrite):
    from attent_tf import files
    from attent_tf.evaluation.comparison_files import cases_csv, comparison_json, differences_csv, scores_csv
    from attent_tf.reporting.forest import draw_comparison

    with files.folder_written_aside(out, overwrite) as aside:
        files.write_json(aside / "comparison.json", comparison_json(comparison))
        for name, text in (("scores", scores_csv), ("cases", cases_csv), ("differences", differences_csv)):
            files.write_text(aside / f"{name}.csv", text(comparison))
        draw_comparison(comparison, aside)


def _lines(comparison):
    """Returns the tables and how they came about."""
    from attent_tf.reporting.wording import METRIC_TITLES

    title = METRIC_TITLES.get(comparison.metric, comparison.metric)
    cases = len(comparison.cases)
    lines = [f"{title} over {counted(cases, 'case')}, protocol {comparison.protocol}", ""]
    lines += [*_scores(comparison), "", *_differences(comparison), "", *_p_values(comparison), ""]
    if comparison.left_out:
        lines.append(f"Left out, as some runs lack them: {', '.join(comparison.left_out)}.")
    return [*lines, *(textwrap.fill(text, LINE) for text in (comparison.protocol_text, comparison.text))]


def _scores(comparison):
    from .tables import aligned, interval, number

    rows = [["Structure", "Run", "Mean", "Std", "Median", "95 % interval", "n", "Undefined", "Infinite"]]
    for column in comparison.columns:
        for run in comparison.runs:
            spread = run.spread[column]
            numbers = (number(spread[key]) for key in ("mean", "std", "median"))
            counts = (str(spread[key]) for key in ("n", "n_undefined", "n_infinite"))
            bounds = interval(spread["ci95_low"], spread["ci95_high"])
            rows.append([_title(comparison, column), run.label, *numbers, bounds, *counts])
    return aligned(rows, left=2)


def _differences(comparison):
    from .tables import aligned, interval, number

    rows = [["Structure", "Difference", "Mean", "95 % interval", "d_z", "r", "n", "Undefined", "Infinite"]]
    for difference in comparison.differences:
        statistics = difference.statistics
        effects = (number(value, sign=True) for value in (statistics.cohen_dz, statistics.rank_biserial))
        bounds = interval(statistics.ci95_low, statistics.ci95_high, sign=True)
        counts = (str(count) for count in (statistics.n, statistics.n_undefined, statistics.n_infinite))
        rows.append(
            [*_pair(comparison, difference), number(statistics.mean_difference, sign=True), bounds, *effects, *counts]
        )
    return aligned(rows, left=2)


def _p_values(comparison):
    from attent_tf.evaluation.comparison import TESTS

    from .tables import aligned, p_value

    rows = [["Structure", "p-values of", "Wilcoxon", "Holm", "t", "Holm", "Sign-flip", "Holm", "Least"]]
    for difference in comparison.differences:
        tests = (
            p_value(value)
            for test in TESTS
            for value in (getattr(difference.statistics, test), difference.corrected[test])
        )
        rows.append([*_pair(comparison, difference), *tests, p_value(difference.statistics.least_p)])
    return aligned(rows, left=2)


def _pair(comparison, difference):
    return _title(comparison, difference.column), f"{difference.first} − {difference.second}"


def _title(comparison, column):
    return comparison.task.titles.get(column, "Average")
