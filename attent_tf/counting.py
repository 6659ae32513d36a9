"""Counted nouns in what people read."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Returns `1 case`, `2 cases`.

    Args:
      number: how many there are.
      noun: of one of them.
      plural: of none or several; `noun` with an s by default.
    """
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
