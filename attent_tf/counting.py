"""Counted nouns in what people read."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Returns `1 case`, `2 cases`.

    Args:
      number: how many there are.
      noun: the noun for one of them.
      plural: the noun for none or several; by default `noun` with an s.
    """
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
