"""`attent info`: what a records folder holds, in numbers."""

import json

import click

from attent_tf.counting import counted
from cli import console


@click.command()
@click.option("--records", required=True, type=click.Path(), help="Records folder (attent preprocess).")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--cases", is_flag=True, help="Print a line for each case as well.")
def info(records, as_json, cases):
    """Print the fingerprint of a records folder: cases, slices, spacing, intensities and organs.

    \b
    Examples:
      attent info --records records
      attent info --records records --json > records.json
    """
    from attent_tf.data.manifest import read_manifest
    from attent_tf.data.statistics import folder_statistics

    manifest = read_manifest(records)
    if as_json:
        click.echo(json.dumps(folder_statistics(records, manifest), indent=2, allow_nan=False))
        return
    with console.progress("Read", sum(case.slices for case in manifest.cases), "slices") as bar:
        found = folder_statistics(records, manifest, bar.update)
    for line in _lines(found, cases):
        console.say(line)


def _lines(found, cases):
    from attent_tf.organs import ORGAN_TITLES, ORGANS
    from cli.records import table

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
        yield f"  slice distance   {_of(spacing['slice'])} mm"
        yield f"  pixel            {_of(spacing['row'])} × {_of(spacing['column'])} mm"
        yield f"  in the scans     {_of(scans['slice'])} mm; {_of(scans['row'])} × {_of(scans['column'])} mm"
        yield f"  stored shapes    {' to '.join('×'.join(map(str, shape)) for shape in content['stored_shapes'])}"
        yield f"  raw −1, +1       {_of(content['raw_low'])}, {_of(content['raw_high'])}"
        shown = ", ".join(f"{point}: {value:.2f}" for point, value in percentiles.items())
        mean, std = content["intensity"]["mean"], content["intensity"]["std"]
        yield f"  images           mean {mean:.3f}, deviation {std:.3f}, percentiles {shown}"
        if content["labelled"]:
            rows = [("  organ", "cases", "slices", "pixels", "volume in ml (smallest, median, largest)")]
            for organ in ORGANS:
                one = content["organs"][organ]
                rows.append(
                    (
                        f"  {ORGAN_TITLES[organ]}",
                        str(one["cases"]),
                        str(one["slices"]),
                        f"{100 * one['pixel_share']:.2f} %",
                        ", ".join(f"{value:.0f}" for value in one["volume_ml"] or ()) or "none",
                    )
                )
            yield from table(rows)
    if cases:
        yield ""
        rows = [("case", "domain", "split", "slices", "of", "slice mm", *(f"{ORGAN_TITLES[o]} ml" for o in ORGANS))]
        for one in found["cases"]:
            ml = one["organs_ml"]
            volumes = [f"{ml[organ]:.0f}" if ml else "" for organ in ORGANS]
            numbers = (str(one["slices"]), str(one["slice_count"]), f"{one['spacing_mm'][0]:.2f}")
            rows.append((one["case"], one["domain"], one["split"], *numbers, *volumes))
        yield from table(rows)


def _of(values):
    smallest, median, largest = values
    return f"{median:g}" if smallest == largest else f"{median:.4g} ({smallest:.4g} to {largest:.4g})"
