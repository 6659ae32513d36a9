"""What the page's viewer is given: an index of cases and methods, and the layers of each case within a budget of bytes."""

import dataclasses
import itertools
import json
from collections.abc import Sequence
from typing import Any

from attent_tf.evaluation.case_entry import ScoredCase
from attent_tf.evaluation.folder import Evaluation
from attent_tf.reporting.layers import QUALITIES, CaseLayers, read_layers
from attent_tf.reporting.tables import case_cells, cases_from_worst_to_best, mean_dice
from attent_tf.reporting.wording import number
from attent_tf.tasks import Task

Entries = Sequence[tuple[str, Evaluation]]


@dataclasses.dataclass(frozen=True)
class Viewer:
    """One viewer of the page.

    Attributes:
      identifier: letters and digits that no other viewer has.
      index: JSON of what is there; `templates/viewer.js` says what it holds.
      cases: JSON of the layers of each case, from the worst to the best.
      names: the cases in that order.
      methods: names of the methods, and the place of the one that is shown first.
      left_out: cases without pictures, because the page would have become too large.
    """

    identifier: str
    index: str
    cases: tuple[str, ...]
    names: tuple[str, ...]
    methods: tuple[tuple[str, ...], int]
    left_out: tuple[str, ...]


def make_viewers(sections: Sequence[tuple[str, Entries, int]], budget_bytes: int) -> list[Viewer]:
    """Makes the viewers of a page so that their pictures together keep to a budget.

    All pictures get the best quality that fits. Where even the lowest does not, the best cases are left out, because the worst
    are what a reader looks for.

    Args:
      sections: for each viewer its identifier, (label, evaluation) of each method, all of one task, and the place of the one
        that is shown first.
      budget_bytes: for the pictures of all viewers together.

    Raises:
      InputError: pictures cannot be read, or methods were evaluated on different grids.
    """
    orders = [cases_from_worst_to_best([evaluation for _, evaluation in entries]) for _, entries, _ in sections]
    quality, kept = _fitted(sections, orders, budget_bytes)
    viewers = []
    for place, (identifier, entries, shown) in enumerate(sections):
        names = [name for rank, name in enumerate(orders[place]) if (rank, place) in kept]
        index, texts = [], []
        for name in names:
            layers = read_layers(name, entries)
            index.append(_case_index(name, layers, entries))
            texts.append(json_text(layers.encoded(quality)))
        labels = tuple(label for label, _ in entries)
        structures = [
            {"title": structure.title, "colour": structure.colour} for structure in entries[0][1].task.structures
        ]
        content = json_text({"structures": structures, "methods": labels, "cases": index})
        left_out = tuple(name for name in orders[place] if name not in names)
        viewers.append(Viewer(identifier, content, tuple(texts), tuple(names), (labels, shown), left_out))
    return viewers


def _fitted(sections, orders, budget: int) -> tuple[int, set[tuple[int, int]]]:
    """Returns the quality, and the (rank, viewer) of the cases that fit; one case is kept at least."""
    # The worst case of every viewer comes before the second worst of any.
    wanted = sorted((rank, place) for place, order in enumerate(orders) for rank in range(len(order)))
    sizes = [read_layers(orders[place][rank], sections[place][1]).estimated_bytes() for rank, place in wanted]
    for quality in QUALITIES:
        if sum(size[quality] for size in sizes) <= budget:
            return quality, set(wanted)
    totals = itertools.accumulate(size[QUALITIES[-1]] for size in sizes)
    count = sum(total <= budget for total in totals)
    return QUALITIES[-1], set(wanted[: max(count, 1)])


def _case_index(name: str, layers: CaseLayers, entries: Entries) -> dict[str, Any]:
    slices, rows, columns = layers.shape
    _, row_mm, column_mm = layers.spacing_mm
    found = [next((case for case in evaluation.cases if case.case == name), None) for _, evaluation in entries]
    return {
        "name": name,
        "slices": slices,
        "rows": rows,
        "columns": columns,
        "pixelRatio": row_mm / column_mm,
        "columnMm": column_mm,
        "scores": [case and _scores(case, entries[0][1].task) for case in found],
    }


def _scores(case: ScoredCase, task: Task) -> dict[str, Any]:
    """The scores of a case as the viewer writes them: `dice` in words, and for each structure text, detail and state."""
    if not case.labelled:
        return {"dice": "no reference", "structures": []}
    cells = case_cells(case, task)[:-1]
    return {
        "dice": f"mean Dice {number(mean_dice(case, task.scored_names), 1)} %",
        "structures": [[cell.text, cell.detail, cell.state] for cell in cells],
    }


def json_text(content: Any) -> str:
    """JSON that can stand inside a `<script>` element whatever the names in it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
