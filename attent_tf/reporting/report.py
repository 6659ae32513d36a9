"""The report: one self-contained HTML file, for one run or for several methods side by side."""

import os
from collections.abc import Sequence
from pathlib import Path

from attent_tf import files
from attent_tf.errors import InputError
from attent_tf.metrics.significance import TEST_NAME
from attent_tf.reporting.page import rendered
from attent_tf.reporting.palette import DISAGREEMENT_COLOURS, SERIES_COLOURS
from attent_tf.reporting.papers import PAPER_NOTE, as_csv, as_markdown
from attent_tf.reporting.pictures import heat_gradient
from attent_tf.reporting.provenance import described_runs, further_texts, protocols, warnings_of
from attent_tf.reporting.sections import Section, make_sections
from attent_tf.reporting.sources import EvaluationForReport, read_source
from attent_tf.reporting.viewer import make_viewers
from attent_tf.reporting.wording import MAIN_METRICS

# With tables and curves, a page stays below 25 MB, which mail and browsers still take.
_PICTURE_BYTES = 20_000_000


def write_report(
    out_html: str | os.PathLike[str],
    evaluations: Sequence[EvaluationForReport],
    title: str,
    picture_bytes: int = _PICTURE_BYTES,
) -> None:
    """Writes the report of one or several evaluations as one HTML file that needs no network.

    Beside it stand `summary.md`, the tables for a text, and `scores.csv`, every mean for a spreadsheet.

    Args:
      out_html: the file to write.
      evaluations: what to report, in the order in which methods shall stand.
      title: the heading.
      picture_bytes: about how much room all slices of all cases may take. Their quality is chosen for it; if the lowest does
        not suffice, the best cases are left out, and the page says so.

    Raises:
      InputError: there is no evaluation, or one cannot be read.
    """
    out_html = Path(out_html)
    sections = read_sections(evaluations, out_html)
    viewers = make_viewers([(s.identifier, s.entries, s.shown) for s in sections], picture_bytes)
    entries = [(label, source) for section in sections for label, source in section.sources]
    page = rendered(
        "report.html.j2",
        ("painting.js", "viewer.js", "report.js"),
        title=title,
        warnings=warnings_of(entries),
        sections=list(zip(sections, viewers, strict=True)),
        protocols=protocols(entries),
        further_texts=further_texts(entries),
        runs=described_runs(entries),
        disagreement=DISAGREEMENT_COLOURS,
        main_metrics=MAIN_METRICS,
        paper_note=PAPER_NOTE,
        test_name=TEST_NAME,
        heat_gradient=heat_gradient(),
        series_colours=SERIES_COLOURS,
    )
    files.write_text(out_html, page)
    files.write_text(out_html.with_name("summary.md"), as_markdown(sections, title))
    files.write_text(out_html.with_name("scores.csv"), as_csv(sections))


def read_sections(evaluations: Sequence[EvaluationForReport], made: object) -> list[Section]:
    """Reads evaluations and sorts them into sections, one for each task and direction.

    Args:
      evaluations: where they lie, in the order in which methods shall stand.
      made: what is made of them; named by the error.

    Raises:
      InputError: there is no evaluation, or one cannot be read.
    """
    if not evaluations:
        raise InputError(f"{made}: expected at least one evaluation to report, found none")
    return make_sections([read_source(place) for place in evaluations])
