"""From which domain to which."""

from attent_tf.errors import ConfigError

DIRECTIONS = {"mri2ct": ("mri", "ct"), "ct2mri": ("ct", "mri")}


def get_domains(direction: str) -> tuple[str, str]:
    """Returns the (source, target) domains of `mri2ct` or `ct2mri`; another name is a `ConfigError`."""
    if direction not in DIRECTIONS:
        raise ConfigError(f"unknown direction {direction!r}: expected one of {', '.join(DIRECTIONS)}")
    return DIRECTIONS[direction]
