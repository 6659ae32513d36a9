"""What a method is: a composition of a translator, an aligner and the labels it may see."""

import dataclasses

from attent_tf.errors import ConfigError, did_you_mean

DIRECTIONS = {"mri2ct": ("mri", "ct"), "ct2mri": ("ct", "mri")}


@dataclasses.dataclass(frozen=True)
class Method:
    """One row of the paper's Tables I and II.

    Attributes:
      id: name on the command line.
      translator: how target images are brought to source style: None, `cyclegan` or `attention_cyclegan`.
      aligner: on what S's predictions for the target are made to look like those for the source: None, `features`,
        `softmax` or `entropy`.
      labels: `source`, or `target` for the supervised upper bound.
      title: the row's name in the paper.
    """

    id: str
    translator: str | None
    aligner: str | None
    labels: str
    title: str


METHODS = {
    method.id: method
    for method in (
        Method("source_only", None, None, "source", "W/o adaptation"),
        Method("cyclegan", "cyclegan", None, "source", "CycleGAN"),
        Method("pixel", "attention_cyclegan", None, "source", "Pixel space alignment"),
        Method("feature", None, "features", "source", "Feature space alignment"),
        Method("entropy", None, "entropy", "source", "Entropy space alignment"),
        Method("attent", "attention_cyclegan", "entropy", "source", "AttENT"),
        Method("supervised", None, None, "target", "Supervised"),
    )
}


def get_method(method_id: str) -> Method:
    """Returns the method of that name; an unknown name is a `ConfigError` that suggests the nearest one."""
    if method_id in METHODS:
        return METHODS[method_id]
    hint = did_you_mean(method_id, METHODS)
    raise ConfigError(f"unknown method {method_id!r}: expected one of {', '.join(METHODS)}{hint}")


def get_domains(direction: str) -> tuple[str, str]:
    """Returns the (source, target) domains of `mri2ct` or `ct2mri`; another name is a `ConfigError`."""
    if direction not in DIRECTIONS:
        raise ConfigError(f"unknown direction {direction!r}: expected one of {', '.join(DIRECTIONS)}")
    return DIRECTIONS[direction]
