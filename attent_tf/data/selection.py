"""Which slices of a training case become records.

The paper keeps slices that show a structure (Section IV-A). That rule reads labels, which the target domain does not have in
unsupervised adaptation; `body`, the default, looks at the image only.
"""

import numpy as np

from attent_tf.choices import SLICE_RULES
from attent_tf.errors import ConfigError, InputError

# Record intensities run from -1 (air) to 1. A tenth of the range above air is safely beyond noise in both modalities.
_BODY_INTENSITY = -0.8
# An abdomen fills a third of the field. A slice above the lungs' apex or below the phantom table shows next to nothing.
_LEAST_BODY_SHARE = 0.05


def body_shares(images: np.ndarray) -> np.ndarray:
    """Returns the share of the field that each slice fills with something brighter than air.

    Args:
      images: [slice, row, column] in [-1, 1].

    Returns:
      [slice] float64 in [0, 1].
    """
    return np.mean(images > _BODY_INTENSITY, axis=(1, 2))


def choose_slices(images: np.ndarray, labels: np.ndarray | None, rule: str, where: str) -> np.ndarray:
    """Returns the indices of the slices to keep.

    Args:
      images: [slice, row, column] in [-1, 1].
      labels: [slice, row, column] class indices, or None.
      rule: `all`; `body` (drops slices at both ends that show little but air); `organs` (the paper's: slices in which
        a structure is labelled).
      where: what messages call the case.

    Returns:
      [kept] int64, increasing.

    Raises:
      ConfigError: the rule is not known.
      InputError: the rule leaves no slice, or `organs` meets a case without labels.
    """
    if rule not in SLICE_RULES:
        raise ConfigError(f"--slices: expected one of {', '.join(SLICE_RULES)}, found {rule!r}")
    if rule == "all":
        return np.arange(len(images))
    if rule == "organs":
        if labels is None:
            raise InputError(where, "labels, for --slices organs", "none", "use --slices body")
        kept = np.flatnonzero(np.any(labels > 0, axis=(1, 2)))
        if not kept.size:
            raise InputError(
                where, "a labelled structure, for --slices organs", "none in any slice", "use --slices body"
            )
        return kept
    shown = np.flatnonzero(body_shares(images) >= _LEAST_BODY_SHARE)
    if not shown.size:
        raise InputError(
            where, "a slice that shows a body", "air in all of them", "check the scan, or use --slices all"
        )
    return np.arange(shown[0], shown[-1] + 1)
