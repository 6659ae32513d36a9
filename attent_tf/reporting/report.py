"""The report: one HTML file that stands by itself, for one run or for several methods side by side."""

import itertools
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attent_tf import files
from attent_tf.errors import InputError
from attent_tf.metrics.significance import TEST_NAME
from attent_tf.organs import DOMAINS, ORGAN_TITLES, ORGANS
from attent_tf.reporting.comparison import compare_with
from attent_tf.reporting.curves import curve_svg
from attent_tf.reporting.dots import dice_dots_svg
from attent_tf.reporting.gallery import case_gallery, choose_cases
from attent_tf.reporting.history import families
from attent_tf.reporting.palette import ORGAN_COLOURS, SERIES_COLOURS
from attent_tf.reporting.pictures import heat_gradient
from attent_tf.reporting.sources import STAGES, EvaluationForReport, Source, read_source
from attent_tf.reporting.svg import series_colour
from attent_tf.reporting.tables import case_rows, score_groups, volume_rows
from attent_tf.reporting.wording import METHOD_NOTES, direction_sentence, direction_title, method_title

_TEMPLATES = Path(__file__).parent / "templates"
_SHOWN_ELSEWHERE = {"method", "direction", "protocol_text", "warnings", "selection", "versions", "scored_unit"}


def write_report(
    out_html: str | os.PathLike,
    evaluations: Sequence[EvaluationForReport],
    title: str,
    cases_shown: int = 3,
    slices_shown: int = 3,
) -> None:
    """Writes the report of one or several evaluations as one HTML file that needs no network.

    Args:
      out_html: the file to write.
      evaluations: what to report, in the order in which methods shall stand.
      title: the heading.
      cases_shown: how many cases of each direction are shown in pictures, evenly from the worst to the best.
      slices_shown: how many slices of each of them.

    Raises:
      InputError: there is no evaluation, or one cannot be read.
    """
    import jinja2

    if not evaluations:
        raise InputError(f"{out_html}: expected at least one evaluation to report, got none")
    sources = [read_source(place) for place in evaluations]
    labels = _labels(sources)
    entries = list(zip(labels, sources, strict=True))
    directions = _directions_in_order(sources)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html.j2").render(
        title=title,
        warnings=[(label, source, line) for label, source in entries for line in _warnings(source)],
        sections=[
            _section(direction, [e for e in entries if _direction(e[1]) == direction], cases_shown, slices_shown)
            for direction in directions
        ],
        protocols=_protocols(entries),
        selections=[(label, source, source.known("selection")) for label, source in entries],
        runs=[_run(label, source, f"run{index}") for index, (label, source) in enumerate(entries)],
        columns=[*(ORGAN_TITLES[organ] for organ in ORGANS), "Average"],
        organs=[(ORGAN_TITLES[organ], ORGAN_COLOURS[organ]) for organ in ORGANS],
        test_name=TEST_NAME,
        heat_gradient=heat_gradient(),
        series_colours=SERIES_COLOURS,
        direction_title=lambda source: direction_title(_direction(source)),
    )
    files.write_text(out_html, page)


def _direction(source: Source) -> str:
    return str(source.evaluation.header["direction"])


def _directions_in_order(sources: Sequence[Source]) -> list[str]:
    usual = [f"{a}2{b}" for a, b in itertools.permutations(DOMAINS)]
    found = dict.fromkeys(_direction(source) for source in sources)
    return sorted(found, key=lambda name: (usual.index(name) if name in usual else len(usual), name))


def _labels(sources: Sequence[Source]) -> list[str]:
    """Names each method, with its seed and at last its folder where that is needed to tell two apart."""
    labels = [method_title(str(source.evaluation.header["method"])) for source in sources]
    for detail in (
        lambda source: f", seed {source.evaluation.header['seed']}",
        lambda source: f", {source.evaluation.folder.resolve().name}",
    ):
        keys = [(label, _direction(source)) for label, source in zip(labels, sources, strict=True)]
        labels = [
            label + detail(source) if keys.count(key) > 1 else label
            for label, source, key in zip(labels, sources, keys, strict=True)
        ]
    return labels


def _warnings(source: Source) -> list[str]:
    warnings = source.evaluation.header.get("warnings") or []
    return [warnings] if isinstance(warnings, str) else [str(line) for line in warnings]


def _section(direction: str, entries: Sequence[tuple[str, Source]], cases: int, slices: int) -> dict[str, Any]:
    rows = [(label, source.evaluation) for label, source in entries]
    evaluations = [evaluation for _, evaluation in rows]
    labelled = any(case.get("labelled", True) for evaluation in evaluations for case in evaluation.cases)
    identifier = "".join(character for character in direction if character.isalnum())
    shown = _method_with_translation(evaluations)
    title = direction_title(direction)
    return {
        "identifier": identifier,
        "title": title,
        "several": len(entries) > 1,
        "sentence": direction_sentence(direction),
        "notes": _comparability(evaluations),
        "counts": _counts(evaluations),
        "unit": evaluations[0].header.get("scored_unit", "volume"),
        "scores": score_groups(rows) if labelled else [],
        "dots": dice_dots_svg(evaluations, f"Dice of every case, {title}", f"dots{identifier}") if labelled else "",
        "legend": [(label, series_colour(index)) for index, (label, _) in enumerate(entries)],
        "methods": [
            (label, METHOD_NOTES[evaluation.header["method"]])
            for label, evaluation in rows
            if evaluation.header["method"] in METHOD_NOTES
        ],
        "comparisons": compare_with(shown, rows),
        "cases": case_rows(rows),
        "volumes": volume_rows(rows),
        "galleries": [
            case_gallery(case, remark, rows, shown, slices) for case, remark in choose_cases(evaluations, cases)
        ],
        "shown": rows[shown][0],
    }


def _method_with_translation(evaluations) -> int:
    """Index of the method whose translation and entropy are shown: the whole method, or else a translator."""
    methods = [evaluation.header["method"] for evaluation in evaluations]
    if "attent" in methods:
        return methods.index("attent")
    translators = [index for index, method in enumerate(methods) if method in ("pixel", "cyclegan")]
    return translators[0] if translators else len(methods) - 1


def _comparability(evaluations) -> list[str]:
    notes = []
    if len({frozenset(case["case"] for case in evaluation.cases) for evaluation in evaluations}) > 1:
        notes.append("The methods were scored on different cases: their means cannot be compared.")
    if len({evaluation.header["protocol"] for evaluation in evaluations}) > 1:
        notes.append("The methods were scored by different protocols: their numbers cannot be compared.")
    return notes


def _counts(evaluations) -> str:
    names = {case["case"]: case.get("labelled", True) for evaluation in evaluations for case in evaluation.cases}
    labelled = sum(names.values())
    text = f"{len(names)} test {'case' if len(names) == 1 else 'cases'}"
    return text if labelled == len(names) else f"{text}, {labelled} of them with reference labels"


def _protocols(entries: Sequence[tuple[str, Source]]) -> list[tuple[str, str, list[str]]]:
    found: dict[str, tuple[str, list[str]]] = {}
    for label, source in entries:
        header = source.evaluation.header
        found.setdefault(str(header["protocol"]), (str(header.get("protocol_text", "")), []))[1].append(label)
    return [(name, text, list(dict.fromkeys(labels))) for name, (text, labels) in found.items()]


def _run(label: str, source: Source, identifier: str) -> dict[str, Any]:
    stages = []
    for stage, curves in source.histories.items():
        panels = []
        for number, (family, members) in enumerate(families(curves)):
            names = ", ".join(curve.name for curve in members)
            panels.append(
                {
                    "family": family,
                    "svg": curve_svg(members, f"{family} over the steps: {names}", f"{identifier}{stage}{number}"),
                    "legend": [(curve.name, series_colour(place)) for place, curve in enumerate(members)],
                }
            )
        stages.append((STAGES[stage], panels))
    header = source.evaluation.header
    facts = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in header.items()
        if key not in _SHOWN_ELSEWHERE
    }
    versions = source.known("versions")
    return {
        "label": label,
        "direction": direction_title(_direction(source)),
        "seed": header["seed"],
        "stages": stages,
        "config_text": source.config_text,
        "versions": versions if isinstance(versions, dict) else {},
        "facts": facts,
    }
