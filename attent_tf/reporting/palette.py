"""Colours of organs and curves, in one place.

The organs' colours follow Okabe and Ito (2008), light enough to stand on a grey scan; the spleen's is stronger than theirs, so
that all stay apart for people with any colour vision deficiency; outlines get a dark rim, so that no picture relies on hue alone.
"""

ORGAN_COLOURS = {
    "liver": "#e69f00",
    "right_kidney": "#56b4e9",
    "left_kidney": "#f0e442",
    "spleen": "#e0569f",
}

# Where prediction and reference differ. The viewer also gives each a pattern of its own: solid, stripes, dots.
DISAGREEMENT_COLOURS = {"missing": "#ff8a3d", "added": "#5cc0ff", "other organ": "#ffffff"}

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
