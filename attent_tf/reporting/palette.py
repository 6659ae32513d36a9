"""Colours that are not those of a structure, in one place; structures have the colours of their task."""

# Where prediction and reference differ. The viewer also gives each a pattern of its own: solid, stripes, dots.
DISAGREEMENT_COLOURS = {"missing": "#ff8a3d", "added": "#5cc0ff", "other structure": "#ffffff"}

# (on a light page, on a dark page)
SERIES_COLOURS = (
    ("#0b61a4", "#6db3f2"),
    ("#b8480a", "#f0954f"),
    ("#007a5a", "#3fc59b"),
    ("#8a3d78", "#d98cc6"),
    ("#7a6400", "#d9bf3c"),
    ("#55606b", "#a9b4bf"),
    ("#a12b3a", "#f08a94"),
)


def rgb(colour: str) -> tuple[int, int, int]:
    """Returns red, green and blue (0...255) of a colour written as `#rrggbb`."""
    return tuple(int(colour[start : start + 2], 16) for start in (1, 3, 5))
