"""`attent doctor`: what this machine has, and what is missing."""

import dataclasses
import itertools
import json

import click

from attent_tf import __version__


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--require-gpu", is_flag=True, help="Fail where TensorFlow sees no GPU.")
@click.pass_context
def doctor(ctx, as_json, require_gpu):
    """Say what this machine has, and what is missing.

    Looks at Python, the packages, the processor, memory, disk, GPUs, and what is optional. Exits with 1 if something
    required is missing or of a version that is not supported.

    \b
    Example:
      attent doctor
      attent doctor --require-gpu --json > machine.json
    """
    from cli import machine

    findings = [
        *machine.distribution_findings(),
        machine.processor_finding(),
        machine.memory_finding(),
        machine.disk_finding(),
        *machine.tensorflow_findings(machine.probe_tensorflow(), machine.driver_version(), require_gpu),
        machine.java_finding(machine.java_version_line()),
        machine.addons_finding(machine.installed_version("tfa-nightly")),
    ]
    click.echo(as_json_text(findings) if as_json else as_text(findings))
    ctx.exit(1 if any(finding.state == "wrong" for finding in findings) else 0)


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
    lines.append(f"Not as required: {', '.join(wrong)}." if wrong else "Everything that is required is here.")
    return "\n".join(lines)


def as_json_text(findings) -> str:
    """Returns the findings as one JSON object: `version`, `ok` and the list `findings`."""
    content = {
        "version": __version__,
        "ok": all(finding.state != "wrong" for finding in findings),
        "findings": [{**dataclasses.asdict(finding), "state": finding.state} for finding in findings],
    }
    return json.dumps(content, indent=2, allow_nan=False)
