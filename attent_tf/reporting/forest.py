"""Runs side by side: every case as a dot with means and intervals, and the differences of pairs as a forest plot."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from attent_tf.counting import counted
from attent_tf.evaluation.comparison import RunComparison
from attent_tf.reporting.palette import SERIES_COLOURS
from attent_tf.reporting.wording import METRIC_TITLES, UNDEFINED

_INK, _SOFT, _GRID = "#1c2430", "#55606b", "#d5dae0"
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "attent",
    "text.color": _INK,
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _INK,
    "xtick.color": _SOFT,
    "ytick.color": _INK,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
_DPI = 160

# In inches; labels of rows and notes stand between the panels.
_LANE, _BOTTOM, _LEGEND_LINE = 0.19, 0.5, 0.2
_COLUMN_LABELS, _SCORES, _NOTES, _DIFFERENCES, _P_VALUES = 1.1, 3.9, 0.95, 3.6, 1.5
_LETTER = 0.062


def draw_comparison(comparison: RunComparison, folder: Path) -> None:
    """Draws `comparison.svg` and `comparison.png`; the same comparison gives the same bytes.

    Args:
      comparison: the comparison of at least two runs.
      folder: where both files go.
    """
    import matplotlib
    from matplotlib.figure import Figure

    pairs = list(dict.fromkeys((difference.first, difference.second) for difference in comparison.differences))
    columns = 4 if max(len(run.label) for run in comparison.runs) < 14 else 1
    top = 0.15 + _LEGEND_LINE * math.ceil(len(comparison.runs) / columns)
    panel = _LANE * len(comparison.columns) * (max(len(comparison.runs), len(pairs)) + 1)
    pair_labels = 0.15 + _LETTER * max(len(_pair_name(pair)) for pair in pairs)
    column_labels = max(_COLUMN_LABELS, 0.15 + 0.075 * max(map(len, comparison.task.titles.values())))
    edges = np.cumsum([0.0, column_labels, _SCORES, _NOTES + pair_labels, _DIFFERENCES, _P_VALUES])
    height = top + panel + _BOTTOM
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(edges[-1], height))
        left, right = (
            figure.add_axes((edges[i] / edges[-1], _BOTTOM / height, width / edges[-1], panel / height))
            for i, width in ((1, _SCORES), (3, _DIFFERENCES))
        )
        _draw_scores(left, comparison, columns)
        _draw_differences(right, comparison, pairs)
        figure.savefig(folder / "comparison.svg", metadata={"Date": None, "Creator": None})
        figure.savefig(folder / "comparison.png", dpi=_DPI, metadata={"Software": None})


def _draw_scores(axes, comparison: RunComparison, legend_columns: int) -> None:
    from matplotlib.lines import Line2D

    title = METRIC_TITLES.get(comparison.metric, comparison.metric)
    rows, cases = len(comparison.runs), len(comparison.cases)
    _prepare(axes, len(comparison.columns), rows, f"{title}: {counted(cases, 'case')}, mean and its 95 % interval")
    for band, column in enumerate(comparison.columns):
        for index, run in enumerate(comparison.runs):
            level, spread = band * (rows + 1) + index, run.spread[column]
            values = np.array(run.values[column], float)
            finite = values[np.isfinite(values)]
            axes.plot(finite, np.full(len(finite), level), "o", color=_colour(index), markersize=3.6, alpha=0.45, mew=0)
            _interval(axes, level, spread["mean"], spread["ci95_low"], spread["ci95_high"])
            _note(axes, level, _lost(spread["n_infinite"], spread["n_undefined"]))
    axes.set_yticks(
        [band * (rows + 1) + (rows - 1) / 2 for band in range(len(comparison.columns))],
        [comparison.task.titles.get(column, "Average") for column in comparison.columns],
    )
    handles = [
        Line2D([], [], marker="o", linestyle="", color=_colour(index), label=run.label)
        for index, run in enumerate(comparison.runs)
    ]
    place = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1.0), "ncols": legend_columns}
    axes.legend(handles=handles, frameon=False, fontsize=8, **place)


def _draw_differences(axes, comparison: RunComparison, pairs: Sequence[tuple[str, str]]) -> None:
    rows, columns = len(pairs), comparison.columns
    _prepare(axes, len(columns), rows, "Mean difference and its 95 % interval; Wilcoxon p, Holm-corrected")
    axes.axvline(0.0, color=_SOFT, linewidth=0.9)
    places = [(band, index) for band in range(len(columns)) for index in range(rows)]
    found = {
        (difference.first, difference.second, difference.column): difference for difference in comparison.differences
    }
    for band, index in places:
        difference = found[(*pairs[index], columns[band])]
        level, statistics = band * (rows + 1) + index, difference.statistics
        _interval(axes, level, statistics.mean_difference, statistics.ci95_low, statistics.ci95_high)
        p_value = difference.corrected["wilcoxon_p"]
        text = UNDEFINED if math.isnan(p_value) else f"p {p_value:.3f}" if p_value >= 0.001 else "p < 0.001"
        _note(axes, level, "  ".join(filter(None, (text, _lost(statistics.n_infinite, statistics.n_undefined)))))
    levels = [band * (rows + 1) + index for band, index in places]
    axes.set_yticks(levels, [_pair_name(pairs[index]) for _, index in places], fontsize=7.5)


def _pair_name(pair: tuple[str, str]) -> str:
    return f"{pair[0]} − {pair[1]}"


def _prepare(axes, bands: int, rows: int, label: str) -> None:
    lanes = bands * (rows + 1)
    axes.set_ylim(lanes - 0.5, -0.75)
    for band in range(1, bands):
        axes.axhline(band * (rows + 1) - 0.75, color=_GRID, linewidth=0.7)
    axes.grid(True, axis="x", color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(label, fontsize=8.5)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _colour(index: int) -> str:
    return SERIES_COLOURS[index % len(SERIES_COLOURS)][0]


def _interval(axes, level: float, middle: float, low: float, high: float) -> None:
    if math.isfinite(low) and math.isfinite(high):
        axes.plot([low, high], [level, level], color=_INK, linewidth=1.3, solid_capstyle="butt")
    if math.isfinite(middle):
        axes.plot([middle], [level], "D", color=_INK, markersize=4.4, mew=0)


def _note(axes, level: float, text: str) -> None:
    if text:
        place = axes.get_yaxis_transform()
        axes.text(1.01, level, text, transform=place, fontsize=7.5, va="center", ha="left", color=_SOFT)


def _lost(infinite: int, undefined: int) -> str:
    parts = [f"{infinite} infinite"] * (infinite > 0) + [f"{undefined} undefined"] * (undefined > 0)
    return ", ".join(parts)
