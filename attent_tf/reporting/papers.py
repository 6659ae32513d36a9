"""Scores in the forms that texts take: Markdown, CSV, and LaTeX rows."""

import csv
import io
from collections.abc import Iterator, Sequence

from attent_tf.json_numbers import to_json
from attent_tf.reporting.provenance import further_texts, protocols, warnings_of
from attent_tf.reporting.sections import Section
from attent_tf.reporting.tables import Cell, Row
from attent_tf.reporting.wording import MAIN_METRICS

PAPER_NOTE = (
    "Rows of the paper (Table I) were measured on CHAOS and MALBCV, slice by slice, by the protocol of the released code. Unless "
    "this evaluation used both as well, data set and protocol differ, so do not compare them digit by digit."
)
_LATEX = {
    "±": r"$\pm$", "–": "--", "∞": r"$\infty$", "→": r"$\to$", "−": "$-$",
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
}  # fmt: skip


def as_markdown(sections: Sequence[Section], title: str) -> str:
    """Returns the scores of every direction as Markdown, with protocol, warnings and failures."""
    sources = [entry for section in sections for entry in section.sources]
    lines = [f"# {_markdown(title)}"]
    for concerned, line in warnings_of(sources):
        lines += ["", f"> **Warning, {_markdown(concerned)}:** {_markdown(line)}"]
    for section in sections:
        lines += ["", f"## {_markdown(section.title)}", "", f"{section.sentence} {section.counts}.".strip()]
        lines += [line for note in section.notes for line in ("", f"**{note}**")]
        if section.scores:
            lines += [
                "",
                f"Mean ± standard deviation over n {section.unit}s; the average is the mean of the structures' means. The "
                "95 % interval of a mean is in brackets, if the evaluation has one.",
            ]
        for group in section.scores:
            lines += ["", f"### {group.title}", "", *_markdown_rows(section.columns, group.rows, group.paper)]
        if any(group.paper for group in section.scores):
            lines += ["", f"*{PAPER_NOTE}*"]
        if section.failures:
            lines += ["", "### Failures", ""]
            for failure in section.failures:
                where = ", ".join(_markdown(part) for part in (failure.method, failure.case) if part)
                lines.append(f"- {where}: {_markdown(failure.text)}." if where else f"- {_markdown(failure.text)}.")
    for name, text, labels in protocols(sources):
        lines += ["", f"## Protocol `{name}`", "", f"{', '.join(map(_markdown, labels))}: {_markdown(text)}".rstrip()]
    lines += [line for text in further_texts(sources) for line in ("", _markdown(text))]
    return "\n".join(lines) + "\n"


def as_csv(sections: Sequence[Section]) -> str:
    """Returns every summary as CSV: a line for each direction, method, metric and structure, and for the average."""
    rows = []
    for section in sections:
        for label, evaluation in section.entries:
            known = {key: evaluation.header[key] for key in ("direction", "method", "seed", "protocol")}
            known["label"] = label
            for metric, average in evaluation.average.items():
                for name, summary in evaluation.structures.items():
                    rows.append({**known, "metric": metric, "organ": name, **summary[metric]})
                rows.append({**known, "metric": metric, "organ": "average", "mean": average})
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(names)
    for row in rows:
        values = (to_json(row.get(name)) for name in names)
        table.writerow(["" if value is None else value for value in values])
    return text.getvalue()


def as_latex(sections: Sequence[Section]) -> str:
    """Returns the main scores as rows for a LaTeX table (`booktabs`) with a column for each structure and the average."""
    lines = [f"% {PAPER_NOTE}"] if any(group.paper for section in sections for group in section.scores) else []
    for section in sections:
        columns = " & ".join(_latex(title) for title in section.columns)
        lines.append(f"% Columns: method & {columns}")
        for group in section.scores:
            if group.metric not in MAIN_METRICS:
                continue
            head = f"{section.title}: {group.title}"
            lines += [r"\midrule", rf"\multicolumn{{{len(section.columns) + 1}}}{{l}}{{{_latex(head)}}} \\"]
            lines += [_latex_row(row) for row in group.rows]
            lines += [_latex_row(row) for row in group.paper]
    return "\n".join(lines) + "\n"


def _markdown_rows(columns: Sequence[str], rows: Sequence[Row], paper: Sequence[Row]) -> Iterator[str]:
    yield f"| Method | {' | '.join(map(_markdown, columns))} |"
    yield f"| --- |{' ---: |' * len(columns)}"
    for row in rows:
        cells = [_markdown(_cell_text(cell)) for cell in row.cells]
        name = _markdown(row.label) + (f" ({row.note})" if row.note else "")
        yield f"| {name} | {' | '.join(cells)} |"
    for row in paper:
        yield f"| *{row.label}* | {' | '.join(f'*{cell.text}*' for cell in row.cells)} |"


def _cell_text(cell: Cell) -> str:
    interval = f" [{cell.interval}]" if cell.interval else ""
    return f"{cell.text}{interval}" + (f" ({cell.detail})" if cell.detail else "")


def _latex_row(row: Row) -> str:
    return " & ".join(_latex(text) for text in (row.label, *(cell.text for cell in row.cells))) + r" \\"


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def _markdown(text: str) -> str:
    """Text from outside as Markdown that shows it and does nothing else."""
    escaped = "".join(f"\\{c}" if c in "\\`*_{}[]<>#|&~" else c for c in text)
    return " ".join(escaped.split())
