"""`attent doctor`: what this machine has, and what is missing."""

import concurrent.futures
import dataclasses
import itertools
import json
import os

import click

from attent_tf import __version__


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--require-gpu", is_flag=True, help="Fail if TensorFlow sees no GPU.")
@click.pass_context
def doctor(ctx, as_json, require_gpu):
    """Say what this machine has, and what is missing.

    Looks at Python, the packages, the processor, memory, folders, GPUs with their driver, and Beam's runners. Exits with 1
    if something required is missing or of a version that is not supported.

    \b
    Example:
      attent doctor
      attent doctor --require-gpu --json > machine.json
    """
    findings = examine(require_gpu)
    click.echo(as_json_text(findings) if as_json else as_text(findings))
    ctx.exit(1 if any(finding.state == "wrong" for finding in findings) else 0)


def examine(require_gpu: bool) -> list:
    """Returns all findings on this machine; the programs that have to be asked are asked at the same time."""
    from .machine import beam, folders, hardware, packages, tensorflow

    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = [
            pool.submit(ask) for ask in (tensorflow.probe_tensorflow, tensorflow.probe_driver, beam.java_version_line)
        ]
        distribution = packages.distribution_findings()
        probe, driver, java = (each.result() for each in asked)
    gpus = 0 if isinstance(probe, str) else len(probe["gpus"])
    return [
        *distribution,
        hardware.processor_finding(),
        hardware.memory_finding(),
        hardware.shared_memory_finding(hardware.shared_memory_bytes(), gpus),
        folders.disk_finding(),
        folders.temporary_finding(),
        folders.home_finding(),
        *tensorflow.tensorflow_findings(probe, driver, require_gpu, os.environ.get("CUDA_VISIBLE_DEVICES")),
        beam.runners_finding(java),
        beam.java_finding(java),
        beam.file_systems_finding(),
        *packages.extra_findings(packages.stated_requirements()),
    ]


def as_text(findings) -> str:
    """Returns the findings for people: one line each under their headings, with what to do below the line."""
    width = max(len(finding.name) for finding in findings)
    lines = [f"attent {__version__}"]
    for group, members in itertools.groupby(findings, key=lambda finding: finding.group):
        lines.append(group)
        for finding in members:
            lines.append(f"  {finding.state:<5}  {finding.name:<{width}}  {finding.found}")
            if finding.advice:
                lines.append(f"  {'':<5}  {'':<{width}}  -> {finding.advice}")
    wrong = [finding.name for finding in findings if finding.state == "wrong"]
    lines.append(f"Not as required: {', '.join(wrong)}." if wrong else "Everything that is required is there.")
    return "\n".join(lines)


def as_json_text(findings) -> str:
    """Returns the findings as one JSON object: `version`, `ok` and the list `findings`."""
    content = {
        "version": __version__,
        "ok": all(finding.state != "wrong" for finding in findings),
        "findings": [{**dataclasses.asdict(finding), "state": finding.state} for finding in findings],
    }
    return json.dumps(content, indent=2, allow_nan=False)
