"""Runs side by side: every case as a dot with means and intervals, and the differences of pairs as a forest plot."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from attent_tf.metrics.comparison import COLUMNS, RunComparison
from attent_tf.organs import ORGAN_TITLES
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
_LANE_INCHES = 0.19


def draw_comparison(comparison: RunComparison, folder: Path) -> None:
    """Draws `comparison.svg` and `comparison.png`; the same comparison gives the same bytes.

    Args:
      comparison: of at least two runs.
      folder: where both files go.
    """
    import matplotlib
    from matplotlib.figure import Figure

    pairs = list(dict.fromkeys((one.first, one.second) for one in comparison.differences))
    lanes = [len(COLUMNS) * (len(rows) + 1) for rows in (comparison.runs, pairs)]
    height = 1.25 + _LANE_INCHES * max(lanes)
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(10.5, height))
        left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": (1.0, 1.0)})
        figure.subplots_adjust(left=0.105, right=0.9, top=1 - 0.62 / height, bottom=0.5 / height, wspace=0.16)
        _draw_scores(left, comparison)
        _draw_differences(right, comparison, pairs)
        figure.savefig(folder / "comparison.svg", metadata={"Date": None, "Creator": None})
        figure.savefig(folder / "comparison.png", dpi=_DPI, metadata={"Software": None})


def _draw_scores(axes, comparison: RunComparison) -> None:
    from matplotlib.lines import Line2D

    title = METRIC_TITLES.get(comparison.metric, comparison.metric)
    _prepare(axes, len(comparison.runs), f"{title} of {len(comparison.cases)} cases, mean and 95 % interval")
    for band, column in enumerate(COLUMNS):
        for index, run in enumerate(comparison.runs):
            level, colour = _level(band, index, len(comparison.runs)), _colour(index)
            values, spread = np.array(run.values[column], float), run.spread[column]
            finite = values[np.isfinite(values)]
            axes.plot(finite, np.full(len(finite), level), "o", color=colour, markersize=3.6, alpha=0.45, mew=0)
            _interval(axes, level, spread["mean"], spread["ci95_low"], spread["ci95_high"], _INK)
            _note(axes, level, _lost(spread["n_infinite"], spread["n_undefined"]))
    axes.set_yticks(
        [_level(band, (len(comparison.runs) - 1) / 2, len(comparison.runs)) for band in range(len(COLUMNS))],
        [ORGAN_TITLES.get(column, "Average") for column in COLUMNS],
    )
    handles = [
        Line2D([], [], marker="o", linestyle="", color=_colour(index), label=run.label)
        for index, run in enumerate(comparison.runs)
    ]
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=4, frameon=False, fontsize=8)


def _draw_differences(axes, comparison: RunComparison, pairs: Sequence[tuple[str, str]]) -> None:
    _prepare(axes, len(pairs), "Mean difference and 95 % interval; at the right Wilcoxon p, Holm-corrected")
    axes.axvline(0.0, color=_SOFT, linewidth=0.9)
    found = {(one.first, one.second, one.column): one for one in comparison.differences}
    for band, column in enumerate(COLUMNS):
        for index, pair in enumerate(pairs):
            one = found[(*pair, column)]
            level, statistics = _level(band, index, len(pairs)), one.statistics
            colour = _colour(index, len(comparison.runs)) if len(pairs) > 1 else _INK
            _interval(
                axes, level, statistics.mean_difference, statistics.ci95_low, statistics.ci95_high, colour, colour
            )
            p_value = one.corrected["wilcoxon_p"]
            text = UNDEFINED if math.isnan(p_value) else f"p {p_value:.3f}" if p_value >= 0.001 else "p < 0.001"
            lost = _lost(statistics.n_infinite, statistics.n_undefined)
            _note(axes, level, text + (f"  {lost}" if lost else ""))
    axes.set_yticks([])
    names = [f"{first} − {second}" for first, second in pairs]
    if len(pairs) == 1:
        axes.set_title(names[0], loc="left", fontsize=9, color=_INK)
        return
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], marker="D", linestyle="-", markersize=4, color=_colour(index, len(comparison.runs)), label=name)
        for index, name in enumerate(names)
    ]
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, frameon=False, fontsize=8)


def _prepare(axes, rows: int, label: str) -> None:
    lanes = len(COLUMNS) * (rows + 1)
    axes.set_ylim(lanes - 0.5, -0.75)
    for band in range(1, len(COLUMNS)):
        axes.axhline(band * (rows + 1) - 0.75, color=_GRID, linewidth=0.7)
    axes.grid(True, axis="x", color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(label, fontsize=8.5)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _level(band: int, index: float, rows: int) -> float:
    return band * (rows + 1) + index


def _colour(index: int, offset: int = 0) -> str:
    return SERIES_COLOURS[(index + offset) % len(SERIES_COLOURS)][0]


def _interval(axes, level: float, middle: float, low: float, high: float, colour: str, dot: str | None = None) -> None:
    if math.isfinite(low) and math.isfinite(high):
        axes.plot([low, high], [level, level], color=colour, linewidth=1.3, solid_capstyle="butt")
    if math.isfinite(middle):
        axes.plot([middle], [level], "D", color=dot or colour, markersize=4.4, mew=0)


def _note(axes, level: float, text: str) -> None:
    if text:
        place = axes.get_yaxis_transform()
        axes.text(1.01, level, text, transform=place, fontsize=7.5, va="center", ha="left", color=_SOFT)


def _lost(infinite: int, undefined: int) -> str:
    parts = [f"{infinite} infinite"] * (infinite > 0) + [f"{undefined} undefined"] * (undefined > 0)
    return ", ".join(parts)
