"""Where the numbers of a report come from: warnings, protocols, selection, training, configuration, versions."""

import json
from collections.abc import Sequence
from typing import Any

from attent_tf.reporting.curves import curve_svg
from attent_tf.reporting.history import families
from attent_tf.reporting.sources import Source
from attent_tf.reporting.svg import series_colour
from attent_tf.reporting.wording import direction_title

_SHOWN_ELSEWHERE = {
    "method", "direction", "warnings", "failures", "selection", "versions", "scored_unit", "signs"
}  # fmt: skip
_NOT_SELECTED = "Not recorded. A model selected by its score on labelled test cases would be scored too well."

Labelled = Sequence[tuple[str, Source]]


def warnings_of(entries: Labelled) -> list[tuple[str, str]]:
    """Returns (what it concerns, the line) of every warning of the evaluations; the same line of several stands once."""
    found: dict[str, list[str]] = {}
    for label, source in entries:
        warnings = source.evaluation.header.get("warnings") or []
        for line in [warnings] if isinstance(warnings, str) else warnings:
            found.setdefault(str(line), []).append(f"{label}, {_title(source)}")
    return [("; ".join(concerned), line) for line, concerned in found.items()]


def protocols(entries: Labelled) -> list[tuple[str, str, list[str]]]:
    """Returns (name, text, labels of the methods) of every protocol."""
    found: dict[str, tuple[str, list[str]]] = {}
    for label, source in entries:
        header = source.evaluation.header
        found.setdefault(str(header["protocol"]), (str(header.get("protocol_text", "")), []))[1].append(label)
    return [(name, text, list(dict.fromkeys(labels))) for name, (text, labels) in found.items()]


def further_texts(entries: Labelled) -> list[str]:
    """Returns what evaluations say in words besides their protocol, such as how intervals were made; each once."""
    texts = (
        str(value)
        for _, source in entries
        for key, value in source.evaluation.header.items()
        if key.endswith("_text") and key != "protocol_text" and value
    )
    return list(dict.fromkeys(texts))


def described_runs(entries: Labelled) -> list[dict[str, Any]]:
    """Returns for each evaluation what the page says of its run."""
    return [_run(label, source, f"run{index}") for index, (label, source) in enumerate(entries)]


def _run(label: str, source: Source, identifier: str) -> dict[str, Any]:
    stages = []
    for number, (title, curves) in enumerate(source.histories.items()):
        panels = []
        for place, (family, members) in enumerate(families(curves)):
            names = ", ".join(curve.name for curve in members)
            panels.append(
                {
                    "family": family,
                    "svg": curve_svg(
                        members, f"{family} over the steps: {names}", f"{identifier}stage{number}curve{place}"
                    ),
                    "legend": [(curve.name, series_colour(index)) for index, curve in enumerate(members)],
                }
            )
        stages.append((title, panels))
    header = source.evaluation.header
    versions = source.known("versions")
    return {
        "label": label,
        "direction": _title(source),
        "seed": header["seed"],
        "selection": source.known("selection") or _NOT_SELECTED,
        "stages": stages,
        "config_text": source.config_text,
        "versions": versions if isinstance(versions, dict) else {},
        "facts": {
            "task": source.evaluation.task.name,
        }
        | {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in header.items()
            if key not in _SHOWN_ELSEWHERE and not key.endswith("_text")
        },
    }


def _title(source: Source) -> str:
    return direction_title(source.evaluation.task, str(source.evaluation.header["direction"]))
