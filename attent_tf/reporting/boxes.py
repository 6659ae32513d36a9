"""The score of every case as a dot over box plots, so that no mean stands alone."""

import math
from collections.abc import Sequence

import numpy as np

from attent_tf.evaluation.folder import Evaluation
from attent_tf.reporting.svg import GRID, INK, page_svg, series_stand_in, svg_style

# With fewer values quartiles say nothing that the dots do not.
_LEAST_FOR_BOX = 4
# Of the width, for names of structures; and so many letters of a name.
_LEAST_MARGIN, _LONGEST = 0.23, 24


def box_plot_svg(evaluations: Sequence[Evaluation], metric: str, title: str, identifier: str) -> str:
    """Draws a metric of every case: a band for each structure, in it for each method a box, its dots and a bar at the mean.

    Args:
      evaluations: one for each method, from top to bottom; all of one task.
      metric: a key of the scores of a case; values that are not finite are left out.
      title: the accessible name of the picture.
      identifier: letters and digits that no other picture on the page has.

    Returns:
      An `<svg>` element; colours follow the order of the methods. An empty text if no case has the metric.
    """
    import matplotlib
    from matplotlib.figure import Figure

    titles = evaluations[0].task.titles
    columns = [[_finite(evaluation, name, metric) for evaluation in evaluations] for name in titles]
    largest = max((values.max() for row in columns for values in row if values.size), default=None)
    if largest is None:
        return ""
    labels = [title if len(title) <= _LONGEST else f"{title[:_LONGEST]}…" for title in titles.values()]
    count = len(evaluations)
    lane = 0.8 / count
    with matplotlib.rc_context(svg_style(identifier)):
        left = min(_LEAST_MARGIN + 0.2, max(_LEAST_MARGIN, 0.03 + 0.0165 * max(map(len, labels))))
        height = 0.4 + len(titles) * max(0.36, 0.17 * count + 0.14)
        figure = Figure(figsize=(4.2, height))
        axes = figure.add_axes((left, 0.3 / height, 0.98 - left, 1.0 - 0.35 / height))
        for band, row in enumerate(columns):
            if band:
                axes.axhline(band - 0.5, color=GRID, linewidth=0.6)
            for index, values in enumerate(row):
                level = band - 0.4 + (index + 0.5) * lane
                _draw_lane(axes, values, level, min(lane, 0.5), series_stand_in(index))
        axes.set_xlim(*((-2, 102) if metric == "dice" else (-0.03 * largest, 1.05 * largest or 1.0)))
        axes.set_ylim(len(titles) - 0.5, -0.5)
        axes.set_yticks(range(len(titles)), labels)
        axes.tick_params(axis="y", length=0)
        axes.grid(True, axis="x", color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        return page_svg(figure, title, identifier)


def count_infinite(evaluations: Sequence[Evaluation], metric: str) -> int:
    """Returns how many structures of how many cases have no finite value of the metric although they were scored."""
    return sum(
        math.isinf(case.scores[name][metric])
        for e in evaluations
        for case in e.cases
        for name in e.task.structure_names
    )


def _draw_lane(axes, values: np.ndarray, level: float, lane: float, colour: str) -> None:
    if not values.size:
        return
    if len(values) >= _LEAST_FOR_BOX:
        line = {"color": colour, "linewidth": 0.9}
        axes.boxplot(
            values,
            positions=[level],
            widths=0.72 * lane,
            orientation="horizontal",
            manage_ticks=False,
            showfliers=False,
            patch_artist=True,
            boxprops={"facecolor": colour, "alpha": 0.22, "edgecolor": colour, "linewidth": 0.9},
            medianprops={"color": colour, "linewidth": 1.8},
            whiskerprops=line,
            capprops=line,
        )
    axes.plot(values, np.full(len(values), level), "o", color=colour, markersize=3.6, alpha=0.75, mew=0)
    mean = values.mean()
    axes.plot([mean, mean], [level - 0.42 * lane, level + 0.42 * lane], color=INK, linewidth=1.6)


def _finite(evaluation: Evaluation, structure: str, metric: str) -> np.ndarray:
    values = np.array([case.scores[structure].get(metric, math.nan) for case in evaluation.cases], float)
    return values[np.isfinite(values)]
