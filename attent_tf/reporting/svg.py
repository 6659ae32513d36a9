"""Matplotlib figures as inline SVG whose colours are the page's own, in light and in dark."""

import io
import re
from typing import TYPE_CHECKING

from attent_tf.reporting.palette import SERIES_COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Stand-ins that become CSS variables once the SVG is written: text and grid.
INK, GRID = "#010203", "#010204"


def series_stand_in(index: int) -> str:
    """Returns the colour to draw the series at that place with; on the page it becomes `series_colour`."""
    return f"#0203{index % len(SERIES_COLOURS) + 1:02d}"


def series_colour(index: int) -> str:
    """Returns the CSS colour of the series at that place."""
    return f"var(--series-{index % len(SERIES_COLOURS) + 1})"


def svg_style(identifier: str) -> dict[str, object]:
    """Returns the settings under which a figure for the page is drawn.

    Args:
      identifier: letters and digits that no other picture on the page has.
    """
    return {
        "svg.fonttype": "none",
        "svg.hashsalt": identifier,
        "font.size": 9,
        "text.color": INK,
        "axes.edgecolor": GRID,
        "axes.labelcolor": INK,
        "axes.linewidth": 0.8,
        "axes.facecolor": "none",
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "xtick.color": GRID,
        "ytick.color": GRID,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "axes.formatter.limits": (-4, 5),
    }


def page_svg(figure: "Figure", title: str, identifier: str) -> str:
    """Writes a figure as an `<svg>` element without outside references; the same figure gives the same text.

    Args:
      figure: drawn under `svg_style` with the stand-ins of this module.
      title: the accessible name of the picture.
      identifier: letters and digits that no other picture on the page has.
    """
    content = io.StringIO()
    figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = content.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", svg, flags=re.DOTALL)
    # Inside HTML these names need no declaration, and the page shall hold no address of the network.
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r'\s(width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r"font: ([\d.]+)px [^;\"]+", r"font-size: \1px; font-family: inherit", svg)
    svg = re.sub(r'id="([^"]+)"', rf'id="{identifier}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{identifier}-\1)", svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{identifier}-\1"', svg)
    svg = re.sub(r"(\d\.\d\d)\d+", r"\1", svg)
    svg = re.sub(r"\s+", " ", svg).replace("> <", "><")
    svg = svg.replace(INK, "var(--ink-soft)").replace(GRID, "var(--line)")
    for index in range(len(SERIES_COLOURS)):
        svg = svg.replace(series_stand_in(index), series_colour(index))
    label = title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1).strip()
