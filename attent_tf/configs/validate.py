"""Values that a type alone does not rule out."""

import dataclasses
import math

from attent_tf.configs.schema import Config, OptimizerConfig
from attent_tf.errors import ConfigError

_CHOICES = {
    "precision": ("float32", "mixed_bfloat16", "mixed_float16"),
    "translation.normalization": ("instance", "tfa_instance", "none"),
    "translation.adversarial": ("log_likelihood", "least_squares"),
    "segmentation.aligner_adversarial": ("log_likelihood", "least_squares"),
    "segmentation.entropy_channels": ("sum", "class"),
    "segmentation.backbone": ("small", "resnet50", "resnet101"),
}
_AT_LEAST_1 = (
    "translation.batch_size",
    "translation.filters",
    "translation.upsample_kernel",
    "translation.discriminator_filters",
    "segmentation.batch_size",
    "segmentation.discriminator_filters",
    "log_every",
    "checkpoint_every",
)
# Seeds of Keras and NumPy have 32 bits, and no other number comes near.
_TOO_LARGE = 2**31


def validate(config: Config) -> Config:
    """Returns `config`, or raises a `ConfigError` that names the first key whose value cannot be used."""
    for key in _AT_LEAST_1:
        _check(_value(config, key) >= 1, key, "at least 1", config)
    for key, choices in _CHOICES.items():
        _check(_value(config, key) in choices, key, f"one of {', '.join(choices)}", config)
    _check(config.data.image_size in (32, 64, 128, 256), "data.image_size", "32, 64, 128 or 256", config)
    _check(
        0 < config.data.zoom_min <= config.data.zoom_max, "data.zoom_min", "above 0 and at most data.zoom_max", config
    )
    _check(0 <= config.data.shift < 0.5, "data.shift", "at least 0 and below 0.5", config)
    rates = config.segmentation.rates
    _check(
        rates and all(1 <= rate < _TOO_LARGE for rate in rates),
        "segmentation.rates",
        "one or more rates of at least 1",
        config,
    )
    for stage in ("translation", "segmentation"):
        part = getattr(config, stage)
        _check(part.steps > 0 or part.epochs > 0, f"{stage}.steps", f"above 0, or {stage}.epochs above 0", config)
        for name, value in vars(part).items():
            if isinstance(value, OptimizerConfig):
                key = f"{stage}.{name}"
                _check(value.learning_rate > 0, f"{key}.learning_rate", "above 0", config)
                _check(0 <= value.beta_1 < 1, f"{key}.beta_1", "at least 0 and below 1", config)
                _check(0 <= value.beta_2 < 1, f"{key}.beta_2", "at least 0 and below 1", config)
                _check(0 <= value.decay_from <= 1, f"{key}.decay_from", "0 to 1", config)
    pretrained = config.segmentation.weights not in ("none", "")
    _check(
        not (pretrained and config.segmentation.backbone == "small"),
        "segmentation.weights",
        "none for the backbone small",
        config,
    )
    for key, value in _numbers(config):
        limit = _TOO_LARGE if isinstance(value, int) else math.inf
        _check(0 <= value < limit, key, f"at least 0 and below {limit}", config)
    return config


def _numbers(part, prefix=""):
    """Yields the dotted key and the value of every number."""
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if dataclasses.is_dataclass(value):
            yield from _numbers(value, f"{prefix}{field.name}.")
        elif isinstance(value, (int, float)):
            yield f"{prefix}{field.name}", value


def _value(config, key):
    for name in key.split("."):
        config = getattr(config, name)
    return config


def _check(holds, key, expected, config):
    if not holds:
        raise ConfigError(f"configuration key {key}: expected {expected}; received {_value(config, key)!r}")
