"""`attent benchmark`: all methods over seeds, in the form of the paper's Tables I and II."""

from pathlib import Path

import click

from attent_tf.api.training import tell_unused
from attent_tf.methods import METHODS
from attent_tf.progress import QuietObserver, say

from .options import workers_option


@click.command()
@click.option("--records", required=True, type=click.Path(), help="Records folder with test cases of both domains.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Benchmark folder; an existing benchmark is resumed."
)
@click.option(
    "--methods", default="all", show_default=True, metavar="ID,ID…", help=f"all, or some of {', '.join(METHODS)}."
)
@click.option(
    "--directions",
    default="both",
    show_default=True,
    metavar="SOURCE2TARGET|both",
    help="From the labelled source to the unlabelled target, domains of the records: mri2ct, …; or all of them.",
)
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="How many: seeds 0, 1, …")
@click.option(
    "--config", "config_name", default="recommended", show_default=True, metavar="NAME_OR_FILE", help="Configuration."
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one key; may be repeated.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="List what exists and what will be trained, with the time it will take, and do nothing else.",
)
@workers_option
@click.option("--quiet", is_flag=True, help="Show no progress, only warnings and the result.")
def benchmark(records, out, methods, directions, seeds, config_name, overrides, dry_run, workers, quiet):
    """Train and score all methods over seeds, in the form of the paper's tables.

    Every run is trained to its last step and scored once; nothing is chosen by scores. A CycleGAN is trained once for each
    seed, for all methods that translate with it and for both directions. After an interruption, the same command continues
    where it stopped. Writes benchmark.md and benchmark.json, and leaves each run with its evaluation in OUT/runs.

    \b
    Examples:
      attent benchmark --records records --out benchmark --config demo --dry-run
      attent benchmark --records records --out benchmark --config demo
      attent benchmark --records records --out benchmark --methods source_only,attent,supervised --seeds 5
    """
    from attent_tf.api.benchmarks import benchmark as run_all

    if dry_run:
        from attent_tf.api.benchmarks import benchmark_plan
        from attent_tf.benchmarking import forecast, forecast_lines
        from attent_tf.configs import load_config

        load_config(config_name, overrides)
        _, plan = benchmark_plan(records, methods, directions, seeds)
        tell_unused(list(dict.fromkeys(run.method for run in plan)), config_name, overrides, say)
        click.echo("\n".join(forecast_lines(forecast(out, plan))))
        return
    progress = QuietObserver() if quiet else None
    done = run_all(records, out, methods, directions, seeds, config_name, overrides, progress, workers)
    click.echo(done.markdown)
    click.echo(f"Tables: {out / 'benchmark.md'}")
