"""`segmentation.weights`: what S begins with, as the text alone says it. Files are not looked at: they may be gone later."""

from pathlib import Path

PACKAGE_SUFFIX = ".attent"

_IMAGENET = "imagenet:"


def package_of(weights: str) -> Path | None:
    """Returns the package that is named, `FILE.attent` or `imagenet:FILE.attent`; None if none is."""
    return Path(weights.removeprefix(_IMAGENET)) if weights.endswith(PACKAGE_SUFFIX) else None


def takes_imagenet_input(weights: str) -> bool:
    """Says whether S is shown slices as ImageNet's images were."""
    return weights != "none" and (package_of(weights) is None or weights.startswith(_IMAGENET))
