"""What servers say, made fit for one line."""

_LONGEST = 300


def in_one_line(text: object) -> str:
    """Returns a text without line breaks, cut to a length that a terminal shows."""
    line = " ".join(str(text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
