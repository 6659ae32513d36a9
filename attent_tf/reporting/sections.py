"""The part of a report that speaks of one direction: which methods, and everything that compares them."""

import dataclasses
import functools
import math
from collections.abc import Sequence

from attent_tf.counting import counted
from attent_tf.evaluation.folder import Evaluation
from attent_tf.methods import LOWER_BOUND, METHODS, UPPER_BOUND
from attent_tf.reporting.boxes import box_plot_svg, count_infinite
from attent_tf.reporting.comparison import Comparison, compare_with
from attent_tf.reporting.failures import Failure, list_failures
from attent_tf.reporting.signs import SignTable, sign_table
from attent_tf.reporting.sources import Source
from attent_tf.reporting.svg import series_colour
from attent_tf.reporting.tables import Row, ScoreGroup, case_rows, score_groups, volume_rows
from attent_tf.reporting.wording import (
    UNPROCESSED,
    direction_sentence,
    direction_title,
    method_title,
    metric_title,
    number,
)
from attent_tf.tasks import Task

_PLOTTED = ("dice", "assd_mm")


@dataclasses.dataclass(frozen=True)
class Section:
    """The evaluations of one direction.

    Attributes:
      direction: a direction of the task, such as `mri2ct`, or what else the evaluations name.
      sources: (label, source) of each method, in the order in which they stand; all of one task.
      among: what tells the task apart from the others of the report; empty if there is one.
    """

    direction: str
    sources: tuple[tuple[str, Source], ...]
    among: str = ""

    @property
    def task(self) -> Task:
        return self.sources[0][1].evaluation.task

    @property
    def identifier(self) -> str:
        """Letters and digits that name the section on the page."""
        return "section" + "".join(character for character in self.among + self.direction if character.isalnum())

    @property
    def title(self) -> str:
        direction = direction_title(self.task, self.direction)
        return f"{self.among}, {direction}" if self.among else direction

    @property
    def sentence(self) -> str:
        return direction_sentence(self.task, self.direction)

    @property
    def columns(self) -> list[str]:
        """Titles of the structures, and of their average."""
        return [*self.task.titles.values(), "Average"]

    @property
    def average_text(self) -> str:
        """What the average is over."""
        others = [structure.title for structure in self.task.structures if not structure.scored]
        without = (
            f" without {', '.join(others)}, which {'is' if len(others) == 1 else 'are'} not scored" if others else ""
        )
        return f"The average is the mean of the structures' means{without}."

    @functools.cached_property
    def entries(self) -> tuple[tuple[str, Evaluation], ...]:
        """(label, evaluation) of each method."""
        return tuple((label, source.evaluation) for label, source in self.sources)

    @property
    def evaluations(self) -> list[Evaluation]:
        return [evaluation for _, evaluation in self.entries]

    @property
    def several(self) -> bool:
        return len(self.entries) > 1

    @property
    def unit(self) -> str:
        return str(self.evaluations[0].header.get("scored_unit", "volume"))

    @property
    def labelled(self) -> bool:
        """Whether any case has a reference."""
        return any(case.labelled for evaluation in self.evaluations for case in evaluation.cases)

    @property
    def shown(self) -> int:
        """Place of the method that comes first to the eye: of the adaptations, the last in the catalogue; or else the last."""
        methods = [evaluation.header["method"] for evaluation in self.evaluations]
        known = [method.id for method in METHODS.values() if method.adapts and method.id in methods]
        return methods.index(known[-1]) if known else len(methods) - 1

    @functools.cached_property
    def scores(self) -> list[ScoreGroup]:
        """Tables with a row for each method, and one more where predictions were cleaned before scoring."""
        if not self.labelled:
            return []
        plain = ((f"{label}, {UNPROCESSED}", evaluation.unprocessed) for label, evaluation in self.entries)
        return score_groups([*self.entries, *(entry for entry in plain if entry[1] is not None)])

    @functools.cached_property
    def plots(self) -> list[tuple[str, str, int]]:
        """(title, svg, how many values are infinite) of each box plot."""
        plots = []
        for metric in _PLOTTED:
            title = metric_title(metric)
            name = f"{title}, of every case, {self.title}"
            svg = box_plot_svg(self.evaluations, metric, name, f"{self.identifier}{metric.replace('_', '')}")
            if svg:
                plots.append((title, svg, count_infinite(self.evaluations, metric)))
        return plots

    @property
    def legend(self) -> list[tuple[str, str]]:
        return [(label, series_colour(index)) for index, (label, _) in enumerate(self.entries)]

    @property
    def methods(self) -> list[tuple[str, str]]:
        """Label and description of the methods that are known here."""
        named = [(label, evaluation.header["method"]) for label, evaluation in self.entries]
        return [(label, METHODS[method].note) for label, method in named if method in METHODS]

    @functools.cached_property
    def comparisons(self) -> list[Comparison]:
        return compare_with(self.shown, self.entries)

    @functools.cached_property
    def signs(self) -> SignTable | None:
        """What is known without labels; None if no evaluation has signs."""
        return sign_table(self.entries)

    @functools.cached_property
    def cases(self) -> list[tuple[str, list[Row]]]:
        return case_rows(self.entries)

    @functools.cached_property
    def volumes(self) -> list[tuple[str, list[Row]]]:
        return volume_rows(self.entries)

    @functools.cached_property
    def failures(self) -> list[Failure]:
        return list_failures(self.entries)

    @functools.cached_property
    def headline(self) -> list[tuple[str, str, str]]:
        """(what, number, unit) of the few numbers that come first."""
        label, evaluation = self.entries[self.shown]
        whose = f", {label}" if self.several else ""
        facts = []
        for metric, name, unit in (("dice", "Average Dice", "%"), ("assd_mm", "Average ASSD", "mm")):
            value = evaluation.average.get(metric, math.nan)
            if not math.isnan(value):
                facts.append((name + whose, number(value, 1 if unit == "%" else 2), unit))
        missed = sum(f.structures for f in self.failures if f.kind == "missed" and f.method == label)
        if self.labelled:
            facts.append((f"Missed structures{whose}", str(missed), f"in {counted(len(evaluation.cases), 'case')}"))
        gap = self._gap_closed()
        return [*facts, ("Of the gap to supervised closed", number(gap, 0), "%")] if gap is not None else facts

    @property
    def counts(self) -> str:
        """How many cases there are, and how many of them have labels."""
        names = {c.case: c.labelled for e in self.evaluations for c in e.cases}
        labelled = sum(names.values())
        text = counted(len(names), "test case")
        return text if labelled == len(names) else f"{text}, {labelled} of them with reference labels"

    @functools.cached_property
    def notes(self) -> list[str]:
        """What stands against comparing the methods."""
        notes = []
        if len({frozenset(case.case for case in evaluation.cases) for evaluation in self.evaluations}) > 1:
            notes.append("The methods were scored on different cases: their means cannot be compared.")
        if len({evaluation.header["protocol"] for evaluation in self.evaluations}) > 1:
            notes.append("The methods were scored by different protocols: their numbers cannot be compared.")
        return notes

    def _gap_closed(self) -> float | None:
        """How much of the Dice between no adaptation and supervised training the shown method gains, in percent."""
        if self.notes:
            return None
        dice = {}
        for evaluation in self.evaluations:
            method = METHODS.get(evaluation.header["method"])
            dice[method.role if method else None] = evaluation.average.get("dice", math.nan)
        gap = dice.get(UPPER_BOUND, math.nan) - dice.get(LOWER_BOUND, math.nan)
        shown = self.evaluations[self.shown]
        method = METHODS.get(shown.header["method"])
        if not gap > 0 or method is None or not method.adapts:
            return None
        return 100.0 * (shown.average.get("dice", math.nan) - dice[LOWER_BOUND]) / gap


def make_sections(sources: Sequence[Source]) -> list[Section]:
    """Sorts evaluations into one section for each task and direction, in the task's order, and names their methods apart."""
    labels = _labels(sources)
    sections = []
    tasks = _tasks(sources)
    for structures, among in tasks.items():
        members = [entry for entry in zip(labels, sources, strict=True) if _structures(entry[1]) == structures]
        usual = members[0][1].evaluation.task.directions
        found = dict.fromkeys(_direction(source) for _, source in members)
        for direction in sorted(found, key=lambda name: (usual.index(name) if name in usual else len(usual), name)):
            entries = tuple(entry for entry in members if _direction(entry[1]) == direction)
            sections.append(Section(direction, entries, among if len(tasks) > 1 else ""))
    return sections


def _structures(source: Source) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What evaluations have to share to stand in one table."""
    task = source.evaluation.task
    return task.structure_names, task.scored_names


def _tasks(sources: Sequence[Source]) -> dict[tuple, str]:
    """What each task of the report is called: by its title, with a number where that is taken."""
    names: dict[tuple, str] = {}
    for source in sources:
        if _structures(source) not in names:
            title = source.evaluation.task.title
            names[_structures(source)] = f"{title} {len(names) + 1}" if title in names.values() else title
    return names


def _direction(source: Source) -> str:
    return str(source.evaluation.header["direction"])


def _labels(sources: Sequence[Source]) -> list[str]:
    """Names each method, with its protocol, its seed and at last its folder where that is needed to tell two apart."""
    labels = [method_title(str(source.evaluation.header["method"])) for source in sources]
    for detail in (
        lambda source: f", seed {source.evaluation.header['seed']}",
        lambda source: f", {source.evaluation.header['protocol']}",
        lambda source: f", {source.evaluation.folder.resolve().name}",
    ):
        keys = [(label, _direction(source)) for label, source in zip(labels, sources, strict=True)]
        added = [detail(source) for source in sources]
        # A detail that is the same for all of a name tells nothing apart.
        same = {key: {a for a, k in zip(added, keys, strict=True) if k == key} for key in keys}
        labels = [
            label + extra if len(same[key]) > 1 else label
            for label, extra, key in zip(labels, added, keys, strict=True)
        ]
    return labels
