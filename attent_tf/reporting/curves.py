"""Loss curves as small pictures."""

from collections.abc import Sequence

import numpy as np

from attent_tf.reporting.history import Curve
from attent_tf.reporting.svg import GRID, page_svg, series_stand_in, svg_style

_POINTS = 240


def curve_svg(curves: Sequence[Curve], title: str, identifier: str) -> str:
    """Draws the curves of one family over the steps.

    Long histories are drawn as the mean of equal bins, with the range of each bin as a light band.

    Args:
      curves: the curves.
      title: what is measured; becomes the accessible name of the picture.
      identifier: letters and digits that no other picture on the page has.

    Returns:
      An `<svg>` element without outside references; the same curves give the same text.
    """
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with matplotlib.rc_context(svg_style(identifier)):
        figure = Figure(figsize=(4.0, 2.2))
        axes = figure.add_axes((0.12, 0.11, 0.86, 0.86))
        for index, curve in enumerate(curves):
            colour = series_stand_in(index)
            steps, mean, low, high = binned(curve.steps, curve.values, _POINTS)
            if len(steps) < len(curve.steps):
                axes.fill_between(steps, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(steps, mean, color=colour, linewidth=1.3, marker="o" if len(steps) == 1 else None)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.grid(True, color=GRID, linewidth=0.6)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        return page_svg(figure, title, identifier)


def binned(steps: np.ndarray, values: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Thins a curve to at most `bins` points.

    Args:
      steps: [row] float64.
      values: [row] float64; values that are not finite make a gap.
      bins: how many points at most.

    Returns:
      Step, mean, least and greatest value of each bin; a bin without a finite value has NaN.
    """
    finite = np.where(np.isfinite(values), values, np.nan)
    if len(steps) <= bins:
        return steps, finite, finite, finite
    parts = np.array_split(np.arange(len(steps)), bins)
    rows = []
    for part in parts:
        inside = finite[part][~np.isnan(finite[part])]
        shown = inside if inside.size else np.array([np.nan])
        rows.append((steps[part].mean(), shown.mean(), shown.min(), shown.max()))
    columns = np.array(rows).T
    return columns[0], columns[1], columns[2], columns[3]
