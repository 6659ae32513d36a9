"""The directives `rooms` and `methods`: figures of the architecture, drawn from what the code itself obeys."""

import html
import tomllib
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

_ROOT = Path(__file__).resolve().parents[2]
_WIDTH, _GAP, _BOX, _LETTER = 760, 8, 30, 7.4
_STYLE = 'font-family="sans-serif" font-size="13" fill="currentColor"'


def layers() -> list[list[str]]:
    """Returns the layers of the contract that import-linter holds, from above downwards, each as names side by side."""
    contracts = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (contract,) = (contract for contract in contracts if contract["type"] == "layers")
    return [[name.strip().removeprefix("attent_tf.") for name in layer.split("|")] for layer in contract["layers"]]


def rows_of_boxes(rows: list[tuple[str, list[str]]], label: str) -> str:
    """Returns an SVG: each row a title and boxes, which go on in another line where they do not fit."""
    shapes, top = [], _GAP
    for title, names in rows:
        if title:
            shapes.append(f'<text x="0" y="{top + 13}" {_STYLE} font-weight="bold">{html.escape(title)}</text>')
            top += 20
        left, start = _GAP, top
        for name in names:
            width = 18 + _LETTER * len(name)
            if left + width > _WIDTH - _GAP:
                left, top = _GAP, top + _BOX + _GAP
            shapes.append(
                f'<rect x="{left:.0f}" y="{top}" width="{width:.0f}" height="{_BOX}" rx="6" fill="none" stroke="currentColor"/>'
                f'<text x="{left + width / 2:.0f}" y="{top + 20}" text-anchor="middle" {_STYLE}>{html.escape(name)}</text>'
            )
            left += width + _GAP
        top += _BOX
        shapes.append(
            f'<rect x="0" y="{start - 5}" width="{_WIDTH}" height="{top - start + 10}" rx="8" '
            'fill="currentColor" opacity="0.06"/>'
        )
        top += 18
    content = "".join(shapes)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {top}" role="img" aria-label="{html.escape(label)}" style="max-width:100%;height:auto">'
        f"{content}</svg>"
    )


class Rooms(SphinxDirective):
    """The rooms of the code and which way imports run."""

    def run(self) -> list:
        """Returns the figure."""
        rows = [("", names) for names in layers()]
        return [nodes.raw("", rows_of_boxes(rows, "Rooms of the code; imports run downwards"), format="html")]


class Methods(SphinxDirective):
    """The stages of every method of the catalogue, with the networks that each trains."""

    def run(self) -> list:
        """Returns the figure."""
        from attent_tf.methods import METHODS

        rows = [
            (f"{method.title} ({method.id})", [f"{s.id}: {', '.join(p.role for p in s.parts)}" for s in method.stages])
            for method in METHODS.values()
        ]
        return [nodes.raw("", rows_of_boxes(rows, "Stages of each method and their networks"), format="html")]


def setup(app) -> dict[str, bool]:
    """Registers the directives."""
    app.add_directive("rooms", Rooms)
    app.add_directive("methods", Methods)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
