"""Intensity rules as text for the command line and as JSON for manifests and runs."""

import dataclasses
from typing import Any, cast

from attent_tf.errors import ConfigError
from attent_tf.plain_values import StrictReader
from attent_tf.tasks.intensity_rule import PARTS, IntensityRule, Kind, Part, Statistics

_FORMS = (
    "window:LOW:HIGH, percentile:LOW:HIGH[:PART[:PART]] or zscore:K[:PART] (or zscore:LOW:HIGH[:PART]), where PART is "
    "volume or body; @training at the end of it takes the statistics of training cases"
)
_TRAINING = "@training"
_WHOLE: list[Part] = ["volume"]
_READER = StrictReader(complete=True)


def parse_rule(text: str) -> IntensityRule:
    """Reads a rule as users write it.

    `window:-160:240` are raw values, `percentile:0.5:99` percentiles of the volume, `percentile:0.5:99:body` of its
    body, `percentile:0.5:99:volume:body` the low one of the volume and the high one of the body, `zscore:3` the mean
    and three standard deviations to either side, `zscore:-2:4:body` two below and four above those of the body.
    `@training` at the end stands for the statistics of the domain's training cases.

    Args:
      text: one of these forms.

    Returns:
      The rule.

    Raises:
      ConfigError: the text has none of the forms, or its numbers make no rule.
    """
    body = text.strip()
    statistics: Statistics = "training" if body.endswith(_TRAINING) else "volume"
    kind, *fields = body.removesuffix(_TRAINING).split(":")
    parts: list[Part] = [part for field in fields for part in PARTS if field == part]
    try:
        numbers = [float(field) for field in fields[: len(fields) - len(parts)]]
    except ValueError:
        raise _no_rule(text) from None
    if kind == "zscore" and len(numbers) == 1:
        numbers = [-numbers[0], numbers[0]]
    most_parts = {"window": 0, "percentile": 2, "zscore": 1}.get(kind, -1)
    if len(numbers) != 2 or len(parts) > most_parts:
        raise _no_rule(text)
    low_of, high_of = ((parts or _WHOLE) * 2)[:2]
    low, high = numbers
    try:
        return IntensityRule(cast(Kind, kind), low, high, low_of, high_of, statistics)
    except ConfigError as error:
        raise ConfigError(f"{error}; write {_FORMS}") from error


def rule_text(rule: IntensityRule) -> str:
    """Returns the text that `parse_rule` reads as this rule; floats keep every bit."""
    numbers: tuple[float, ...] = (rule.low, rule.high)
    if rule.kind == "zscore" and rule.low == -rule.high:
        numbers = (rule.high,)
    parts: tuple[str, ...] = () if rule.low_of == rule.high_of == "volume" else (rule.low_of, rule.high_of)
    if rule.low_of == rule.high_of:
        parts = parts[:1]
    fields = (rule.kind, *map(_number_text, numbers), *parts)
    return ":".join(fields) + (_TRAINING if rule.statistics == "training" else "")


def rule_to_json(rule: IntensityRule) -> dict[str, Any]:
    """The rule as a JSON object; `rule_from_json` gives an equal one back."""
    return dataclasses.asdict(rule)


def rule_from_json(content: Any) -> IntensityRule:
    """Reads what `rule_to_json` wrote.

    Raises:
      ConfigError: a key is missing or unknown, a value is of another type, or they make no rule.
    """
    return _READER.read(IntensityRule, content, "intensity rule")


def _number_text(number: float) -> str:
    return str(int(number)) if float(number).is_integer() and abs(number) < 1e15 else repr(float(number))


def _no_rule(text: str) -> ConfigError:
    return ConfigError(f"intensity rule: expected {_FORMS}; found {text!r}")
