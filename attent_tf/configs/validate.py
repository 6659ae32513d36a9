"""Values that a type alone does not rule out."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

from attent_tf.configs.first_weights import package_of
from attent_tf.configs.schema import Config
from attent_tf.configs.sections.optimizer import OptimizerConfig
from attent_tf.configs.sections.slices import AugmentationConfig
from attent_tf.configs.sections.target import PseudoLabelConfig, SelfTrainingConfig
from attent_tf.errors import ConfigError

# Seeds of Keras and NumPy have 32 bits, and no other number comes near.
_TOO_LARGE = 2**31
# Keys of any section that are shares of what there is.
_SHARES = {"gate_accuracy", "discriminator_dropout", "critic_dropout"}
# What a value must be, in words, and whether one is.
_Rule = tuple[str, Callable[[Any], bool]]
_BELOW_1: _Rule = ("at least 0 and below 1", lambda value: 0 <= value < 1)
_TO_1: _Rule = ("0 to 1", lambda value: 0 <= value <= 1)
# By kind of section and key.
_RULES: dict[type, dict[str, _Rule]] = {
    OptimizerConfig: {
        "learning_rate": ("above 0", lambda value: value > 0),
        "beta_1": _BELOW_1,
        "beta_2": _BELOW_1,
        "momentum": _BELOW_1,
        "decay_from": _TO_1,
        "decay_factor": ("above 0 and at most 1", lambda value: 0 < value <= 1),
    },
    AugmentationConfig: {
        "intensity_share": _TO_1,
        "intensity_scale": _BELOW_1,
        "rotation": ("0 to 180 degrees", lambda value: 0 <= value <= 180),
        "zoom": _BELOW_1,
    },
    SelfTrainingConfig: {"teacher_decay": _BELOW_1, "ramp_until": _TO_1},
    PseudoLabelConfig: {
        "first_quantile": _BELOW_1,
        "quantile": _BELOW_1,
        "least_probability": _BELOW_1,
        "background_probability": _BELOW_1,
        "disagreement_weight": _TO_1,
        "gamma": ("above 0", lambda value: value > 0),
        "least_agreement": _TO_1,
        "least_volumes": _TO_1,
    },
}


def validate(config: Config, where: str) -> Config:
    """Returns `config`, or raises a `ConfigError` that names the first key whose value cannot be used.

    Args:
      config: as it was read.
      where: its name in the message; empty if the caller puts one before it.
    """
    try:
        return _validated(config)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}" if where else str(error)) from error


def _validated(config: Config) -> Config:
    for key, field, value in _fields(config):
        if "least" in field.metadata:
            _check(value >= field.metadata["least"], key, f"at least {field.metadata['least']}", value)
    data = config.data
    _check(0 < data.zoom_min <= data.zoom_max, "data.zoom_min", "above 0 and at most data.zoom_max", data.zoom_min)
    _check(0 <= data.shift < 0.5, "data.shift", "at least 0 and below 0.5", data.shift)
    for prefix, section in _sections(config):
        _check_section(prefix, section)
    for key, _, value in _fields(config):
        if isinstance(value, (int, float)):
            limit = _TOO_LARGE if isinstance(value, int) else math.inf
            _check(0 <= value < limit, key, f"at least 0 and below {limit}", value)
    return config


def _check_section(prefix: str, section: Any) -> None:
    values = vars(section)
    for name, (expected, holds) in _RULES.get(type(section), {}).items():
        _check(holds(values[name]), prefix + name, expected, values[name])
    if {"steps", "epochs"} <= values.keys():
        trains = section.steps > 0 or section.epochs > 0
        _check(trains, f"{prefix}steps", f"above 0, or {prefix}epochs above 0", section.steps)
    if "dropout" in values:
        _check(0 <= section.dropout < 1, f"{prefix}dropout", "at least 0 and below 1", section.dropout)
    if {"ramp_from", "ramp_until"} <= values.keys():
        ordered = 0 <= section.ramp_from <= section.ramp_until <= 1
        _check(
            ordered, f"{prefix}ramp_from", f"at least 0 and at most {prefix}ramp_until, both up to 1", section.ramp_from
        )
    if "rates" in values:
        dilates = section.rates and all(1 <= rate < _TOO_LARGE for rate in section.rates)
        _check(dilates, f"{prefix}rates", "one or more rates of at least 1", section.rates)
    if "head_rate_factor" in values:
        _check(section.head_rate_factor > 0, f"{prefix}head_rate_factor", "above 0", section.head_rate_factor)
    if "class_weights" in values:
        weights = section.class_weights
        weighs = all(0 <= weight < math.inf for weight in weights)
        _check(weighs, f"{prefix}class_weights", "numbers of at least 0", weights)
    for name in _SHARES & values.keys():
        _check(0 <= values[name] < 1, prefix + name, "at least 0 and below 1", values[name])
    if {"least_share", "largest_share"} <= values.keys():
        ordered = section.least_share <= section.largest_share
        _check(ordered, f"{prefix}least_share", f"at most {prefix}largest_share", section.least_share)
    if {"weights", "backbone"} <= values.keys():
        needs_none = section.weights in ("none", "") or package_of(section.weights) is not None
        fits = needs_none or section.backbone.startswith("resnet")
        _check(fits, f"{prefix}weights", f"none for the backbone {section.backbone}", section.weights)


def _sections(section: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields the dotted prefix and the object of a configuration and of every section in it."""
    yield prefix, section
    for field in dataclasses.fields(section):
        value = getattr(section, field.name)
        if dataclasses.is_dataclass(value):
            yield from _sections(value, f"{prefix}{field.name}.")


def _fields(config: Config) -> Iterator[tuple[str, dataclasses.Field[Any], Any]]:
    """Yields the dotted key, the field and the value of everything that is no section."""
    for prefix, section in _sections(config):
        for field in dataclasses.fields(section):
            value = getattr(section, field.name)
            if not dataclasses.is_dataclass(value):
                yield prefix + field.name, field, value


def _check(holds: Any, key: str, expected: str, value: Any) -> None:
    if not holds:
        raise ConfigError(f"{key}: expected {expected}, found {value!r}")
