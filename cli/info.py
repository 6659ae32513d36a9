"""`attent info`: what a records folder, a run, a package or an exported model holds."""

import json
from pathlib import Path

import click

from attent_tf.counting import counted

from . import console
from .task_lines import task_lines


@click.command()
@click.option("--records", type=click.Path(), help="Records folder (attent preprocess).")
@click.option("--run", "run_folder", type=click.Path(), help="Instead: run folder (attent train).")
@click.option("--model", type=click.Path(), help="Instead: version folder of an exported model (attent export).")
@click.argument("package", required=False, type=click.Path(), metavar="[PACKAGE]")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--cases", is_flag=True, help="With --records: print a line for each case as well.")
def info(package, records, run_folder, model, as_json, cases):
    """Print what a folder holds: the task with its structures and domains, and what was made from it.

    Of records: fingerprint, cases, slices, spacing, intensities and structures. Of a run and of an exported model: method,
    direction and the records behind it. Of a package: its model card.

    \b
    Examples:
      attent info --records records
      attent info --records records --json > records.json
      attent info --run runs/attent
      attent info abdomen.attent
    """
    if sum(place is not None for place in (package, records, run_folder, model)) != 1:
        raise click.UsageError("Give one of --records, --run, --model and a package.")
    if package is not None:
        _refuse_folder_without_option(package)
        _show_package(package, as_json)
        return
    if records is None:
        if cases:
            raise click.UsageError("--cases goes with --records.")
        _describe(run_folder, model, as_json)
        return
    from attent_tf.data.manifest import read_manifest
    from attent_tf.data.statistics import folder_statistics
    from attent_tf.tasks import task_to_mapping

    manifest = read_manifest(records)
    if as_json:
        found = {"task": task_to_mapping(manifest.task), **folder_statistics(records, manifest)}
        click.echo(json.dumps(found, indent=2, allow_nan=False))
        return
    with console.progress("Read", sum(case.slices for case in manifest.cases), "slices") as bar:
        found = folder_statistics(records, manifest, bar.update)
    for line in (*task_lines(manifest.task), *_lines(found, cases, manifest.task.titles)):
        console.say(line)


def _refuse_folder_without_option(path):
    """Says which option a folder needs, if it holds records, a run or an exported model."""
    from attent_tf.data.manifest import MANIFEST_FILE
    from attent_tf.deployment import METADATA_FILE
    from attent_tf.runs.run import RUN_FILE

    for option, file in (("--records", MANIFEST_FILE), ("--run", RUN_FILE), ("--model", METADATA_FILE)):
        if Path(path, file).is_file():
            raise click.UsageError(f"{path}: expected a package, found a folder with {file}; say {option} {path}")


def _show_package(path, as_json):
    """Prints the card of a package whose checksums fit, and the SHA-256 of the file."""
    from attent_tf.runs.package import read_package

    package = read_package(path)
    if as_json:
        click.echo(json.dumps({"sha256": package.sha256, **package.content}, indent=2, allow_nan=False))
        return
    console.say(package.card)
    console.say(f"SHA-256 of {path}: {package.sha256}")


def _describe(run_folder, model, as_json):
    """Prints what a run or an exported model says of itself."""
    from attent_tf.deployment.contract import read_contract
    from attent_tf.runs import load_run
    from attent_tf.tasks import task_to_mapping

    source = read_contract(model) if run_folder is None else load_run(run_folder)
    described = source.describe()
    if as_json:
        click.echo(json.dumps({**described, "task": task_to_mapping(source.task)}, indent=2, allow_nan=False))
        return
    for line in task_lines(source.task):
        console.say(line)
    for key, value in described.items():
        if key != "task" and value is not None:
            console.say(f"{key.replace('_', ' ')}: {value if isinstance(value, str) else json.dumps(value)}")


def _lines(found, cases, titles):
    from .records import table

    options = found["options"]
    yield f"schema {found['schema']}, fingerprint {found['fingerprint'][:16]}"
    yield f"split {options.get('split')}, slices {options.get('slices')}"
    if found["rejected"]:
        yield f"set aside: {', '.join(found['rejected'])}"
    for domain, content in found["domains"].items():
        splits = ", ".join(f"{count} {split}" for split, count in content["cases"].items())
        spacing, scans = content["spacing_mm"], content["scan_spacing_mm"]
        kept = f"{content['slices']} of {counted(content['slice_count'], 'slice')}"
        percentiles = content["intensity"]["percentiles"]
        yield ""
        count = sum(content["cases"].values())
        yield f"{domain}: {counted(count, 'case')} ({splits}), {content['labelled']} labelled, {kept}"
        if spacing["slice"]:
            yield f"  slice distance   {_of(spacing['slice'])} mm"
            yield f"  pixel            {_of(spacing['row'])} × {_of(spacing['column'])} mm"
            yield f"  in the scans     {_of(scans['slice'])} mm; {_of(scans['row'])} × {_of(scans['column'])} mm"
        else:
            yield "  size of voxels   not known"
        yield f"  stored shapes    {' to '.join('×'.join(map(str, shape)) for shape in content['stored_shapes'])}"
        yield f"  raw −1, +1       {_of(content['raw_low'])}, {_of(content['raw_high'])}"
        shown = ", ".join(f"{point}: {value:.2f}" for point, value in percentiles.items())
        mean, std = content["intensity"]["mean"], content["intensity"]["std"]
        yield f"  images           mean {mean:.3f}, deviation {std:.3f}, percentiles {shown}"
        if content["labelled"]:
            rows = [("  structure", "cases", "slices", "pixels", "volume in ml (smallest, median, largest)")]
            for name, title in titles.items():
                organ = content["organs"][name]
                rows.append(
                    (
                        f"  {title}",
                        str(organ["cases"]),
                        str(organ["slices"]),
                        f"{100 * organ['pixel_share']:.2f} %",
                        ", ".join(f"{value:.0f}" for value in organ["volume_ml"] or ()) or "none",
                    )
                )
            yield from table(rows)
    if cases:
        yield ""
        rows = [("case", "domain", "split", "slices", "of", "slice mm", *(f"{title} ml" for title in titles.values()))]
        for case in found["cases"]:
            ml = case["organs_ml"]
            volumes = [f"{ml[name]:.0f}" if ml else "" for name in titles]
            distance = f"{case['spacing_mm'][0]:.2f}" if case["spacing_mm"] else ""
            numbers = (str(case["slices"]), str(case["slice_count"]), distance)
            rows.append((case["case"], case["domain"], case["split"], *numbers, *volumes))
        yield from table(rows)


def _of(values):
    smallest, median, largest = values
    return f"{median:g}" if smallest == largest else f"{median:.4g} ({smallest:.4g} to {largest:.4g})"
