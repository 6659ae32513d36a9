"""`attent demo`: phantom, preprocess, train, translate, evaluate and report, in one call."""

from pathlib import Path

import click

from attent_tf.api.training import tell_unused
from attent_tf.counting import counted
from attent_tf.methods import ADAPTATION, METHODS
from attent_tf.progress import ConsoleObserver
from attent_tf.runtime import start_quietly

from .console import heading, progress, say
from .options import workers_option

DEMO_METHODS = ("source_only", "attent", "attent_both", "supervised")


@click.command()
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder for everything; an existing demo is resumed."
)
@click.option(
    "--direction",
    metavar="mri2ct|ct2mri|both",
    default="mri2ct",
    show_default=True,
    help="From the labelled source to the unlabelled target.",
)
@click.option("--subjects", type=click.IntRange(min=2), default=8, show_default=True, help="Patients of each modality.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the phantom, the split and the training.")
@click.option(
    "--config", "config_name", default="demo", show_default=True, metavar="NAME_OR_FILE", help="Configuration to train."
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one key; may be repeated.")
@click.option(
    "--methods", default=",".join(DEMO_METHODS), show_default=True, metavar="ID,ID…", help="Methods to compare."
)
@workers_option
def demo(out, direction, subjects, seed, config_name, overrides, methods, workers):
    """Run the whole method on an embedded data set, end to end.

    Makes a phantom of MR and CT scans, turns it into records, trains each method, translates and segments the test cases,
    scores them and writes one report. An interrupted demo goes on where it stopped.

    \b
    Examples:
      attent demo --out demo
      attent demo --out demo --direction both
      attent demo --out demo --direction ct2mri --methods source_only,cyclegan,pixel,entropy,attent,supervised
    """
    from attent_tf.benchmarking import plan_runs
    from attent_tf.configs import load_config
    from attent_tf.tasks import load_task

    config = load_config(config_name, [*overrides, f"seed={seed}"])
    chosen = list(dict.fromkeys(name.strip() for name in methods.split(",")))
    task = load_task("abdomen")
    plan = plan_runs(task, chosen, task.directions if direction == "both" else [direction], [seed])
    tell_unused(chosen, config_name, overrides, say)
    phantom, records = out / "phantom", out / "records"

    heading("1/4 Phantom")
    _make_phantom(phantom, subjects, seed)
    heading("2/4 Records")
    _make_records(task, phantom, records, seed)
    heading("3/4 Methods")
    start_quietly()
    from attent_tf.benchmarking.run import run_benchmark

    scored = run_benchmark(records, out, plan, config, ConsoleObserver(), workers)
    evaluations = [(run.direction, run.method, scored[run.direction][run.method][seed]) for run in plan]
    heading("4/4 Report")
    _write_summary(out, evaluations)
    _show_scores(out, evaluations)


def _make_phantom(folder, subjects, seed):
    from attent_tf.phantom import write_phantom

    if folder.exists():
        say(f"{folder}: already there")
        return
    with progress("Subjects", 2 * subjects, "subjects") as bar:
        write_phantom(folder, subjects=subjects, seed=seed, report=lambda _: bar.update())


def _make_records(task, phantom, records, seed):
    from attent_tf.data.manifest import read_manifest
    from beam_preprocess.api import preprocess

    if not records.exists():
        folders = {"mri": phantom / "chaos", "ct": phantom / "malbcv"}
        preprocess(records, folders, task, split="ratio", seed=seed)
    manifest = read_manifest(records)
    for domain in task.domain_names:
        train, test = (manifest.select(domain, split) for split in ("train", "test"))
        slices = sum(case.slices for case in (*train, *test))
        say(f"{domain}: {len(train)} training and {counted(len(test), 'test case')}, {counted(slices, 'slice')}")


def _write_summary(out, evaluations):
    from attent_tf.files import write_json
    from attent_tf.json_numbers import to_json
    from attent_tf.reporting.report import write_report
    from attent_tf.reporting.sources import EvaluationForReport

    summary: dict = {}
    for direction, method, evaluation in evaluations:
        summary.setdefault(direction, {})[method] = evaluation.average
    write_json(out / "summary.json", to_json(summary))
    places = [EvaluationForReport(evaluation.folder, evaluation.folder.parent) for _, _, evaluation in evaluations]
    write_report(out / "report" / "index.html", places, "AttENT demo")


def _show_scores(out, evaluations):
    from .scores import score_table

    entries = [(f"{METHODS[method].title} ({direction})", evaluation) for direction, method, evaluation in evaluations]
    click.echo("\n".join(score_table(entries)))
    click.echo(f"Scores: {out / 'summary.json'}")
    click.echo(f"Report: {out / 'report' / 'index.html'}")
    adapted = [evaluated for _, method, evaluated in evaluations if METHODS[method].role == ADAPTATION]
    _, _, last = evaluations[-1]
    run = (adapted[-1] if adapted else last).folder.parent
    click.echo(f"Next: attent package --run {run} --out model.attent")
