"""What servers say, made fit for one line."""

import re

_LONGEST = 300
# Where in the graph an error arose, which is for those who wrote the graph.
_NODES = re.compile(r"\[\[.*?\]\]")


def in_one_line(text: object) -> str:
    """Returns a text without line breaks, cut to a length that a terminal shows."""
    line = " ".join(_NODES.sub("", str(text)).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
