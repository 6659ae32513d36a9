"""The score of every case as a dot, so that no mean stands alone."""

from collections.abc import Sequence

import numpy as np

from attent_tf.metrics.evaluation import Evaluation
from attent_tf.organs import ORGAN_TITLES, ORGANS
from attent_tf.reporting.svg import GRID, INK, page_svg, series_stand_in, svg_style


def dice_dots_svg(evaluations: Sequence[Evaluation], title: str, identifier: str) -> str:
    """Draws Dice of every case: a band for each organ, in it a line of dots for each method, and a bar at its mean.

    Args:
      evaluations: one for each method, from top to bottom.
      title: the accessible name of the picture.
      identifier: letters and digits that no other picture on the page has.

    Returns:
      An `<svg>` element; colours follow the order of the methods.
    """
    import matplotlib
    from matplotlib.figure import Figure

    count = len(evaluations)
    lane = 0.8 / count
    with matplotlib.rc_context(svg_style(identifier)):
        height = 0.4 + len(ORGANS) * max(0.3, 0.15 * count + 0.12)
        figure = Figure(figsize=(4.7, height))
        axes = figure.add_axes((0.19, 0.3 / height, 0.79, 1.0 - 0.35 / height))
        for band, organ in enumerate(ORGANS):
            if band:
                axes.axhline(band - 0.5, color=GRID, linewidth=0.6)
            for index, evaluation in enumerate(evaluations):
                level = band - 0.4 + (index + 0.5) * lane
                values = np.array([case[organ]["dice"] for case in evaluation.cases], float)
                values = values[np.isfinite(values)]
                colour = series_stand_in(index)
                axes.plot(values, np.full(len(values), level), "o", color=colour, markersize=4.5, alpha=0.7, mew=0)
                mean = evaluation.organs[organ]["dice"]["mean"]
                axes.plot([mean, mean], [level - 0.42 * lane, level + 0.42 * lane], color=INK, linewidth=1.6)
        axes.set_xlim(-2, 102)
        axes.set_ylim(len(ORGANS) - 0.5, -0.5)
        axes.set_yticks(range(len(ORGANS)), [ORGAN_TITLES[organ] for organ in ORGANS])
        axes.tick_params(axis="y", length=0)
        axes.grid(True, axis="x", color=GRID, linewidth=0.6)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        return page_svg(figure, title, identifier)
