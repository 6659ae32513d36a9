"""What the values in a description of a data set must be."""

import re
from typing import Annotated

from attent_tf.plain_values import BY_NAME, ONE_OR_MORE, Check, Text, expected

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def _is_regular_expression(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise expected(f"a regular expression ({error})", text) from error
    return True


def _places_cases(pattern: str) -> bool:
    held = _PLACEHOLDER.findall(pattern)
    return "case" in held and set(held) <= {"case", "patient"}


def _parts_placeholders(pattern: str) -> bool:
    return not re.search(r"[{}]", _PLACEHOLDER.sub("", pattern)) and not re.search(r"\}\{", pattern)


def _stays_below(pattern: str) -> bool:
    return not pattern.startswith("/") and ".." not in pattern.split("/")


Name = Annotated[str, Check("small letters, digits, - and _", lambda text: bool(_NAME.fullmatch(text)))]
RegularExpression = Annotated[Text, Check("a regular expression", _is_regular_expression)]
Pattern = Annotated[
    Text,
    Check("a path with {case} and, if wanted, {patient}", _places_cases),
    Check("placeholders that are closed and apart", _parts_placeholders),
    Check("a path below the data set's folder", _stays_below),
]
Number = Annotated[int, Check("a whole number from 0", lambda number: 0 <= number < 2**31)]
Masks = Annotated[tuple[tuple[str, Pattern], ...], BY_NAME]
LabelValues = Annotated[tuple[tuple[str, Annotated[tuple[Number, ...], ONE_OR_MORE]], ...], BY_NAME]
LabelBins = Annotated[tuple[tuple[str, tuple[Number, Number]], ...], BY_NAME]
