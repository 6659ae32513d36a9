"""Raw intensities to [−1, 1] and back, by the rule of a case's domain.

A rule either names raw values (`window`: CT is in Hounsfield units, so one window serves all scans), or takes them from
the voxels: percentiles, or the mean and some standard deviations to either side (`zscore`; what lies beyond is cut).
They are measured in each volume, or in the training volumes of a domain alone. What is measured of one volume is small
and can be pooled, so that training volumes may be measured on different machines.

SIFA's published preprocessing of MR cuts the brightest 2 % of a volume, brings it to mean 0 and deviation 1, and then
scales what is left from its least to its largest value to [−1, 1]. The middle step cancels out: it is the rule
`percentile:0:98`.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from attent_tf.errors import InputError
from attent_tf.plain_values import Finite
from attent_tf.tasks import IntensityRule, rule_text
from attent_tf.volumes.body import body_mask
from attent_tf.volumes.intensity_measures import moments, percentiles
from attent_tf.volumes.volume import Volume


@dataclasses.dataclass(frozen=True, slots=True)
class Intensity:
    """The raw values that −1 and +1 stand for.

    Attributes:
      rule: how they were chosen, in the words of `parse_rule`, such as `window:-160:240`.
      low: raw value of −1.
      high: raw value of +1.
    """

    rule: str
    low: Finite
    high: Finite

    def normalise(self, raw: np.ndarray) -> np.ndarray:
        """Raw intensities of any shape and type to contiguous float32 in [−1, 1]; beyond `low` and `high` is cut."""
        values = np.array(raw, np.float32, order="C")
        values -= np.float32(self.low)
        values *= np.float32(2 / (self.high - self.low))
        values -= np.float32(1)
        return np.clip(values, -1, 1, out=values)

    def restore(self, normalised: np.ndarray) -> np.ndarray:
        """Values in [−1, 1] of any shape to float32 raw intensities."""
        half = np.float32((self.high - self.low) / 2)
        return (np.asarray(normalised, np.float32) + np.float32(1)) * half + np.float32(self.low)


@dataclasses.dataclass(frozen=True)
class IntensityStatistics:
    """What a rule needs to know of one volume.

    Attributes:
      low, high: its percentiles, or the window's raw values; None for `zscore`.
      count, mean, variance: number of voxels measured, their mean, and the mean square deviation from it; None except for
        `zscore`.
    """

    low: float | None = None
    high: float | None = None
    count: int | None = None
    mean: float | None = None
    variance: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The numbers as a JSON object; `IntensityStatistics(**content)` gives equal ones back."""
        return dataclasses.asdict(self)


def measure_intensity(
    canonical_volume: Volume, rule: IntensityRule, body: np.ndarray | None = None
) -> IntensityStatistics:
    """Measures one volume for a rule.

    Args:
      canonical_volume: [slice, row, column] volume in canonical orientation.
      rule: the rule of the volume's domain.
      body: [slice, row, column] bool, `body_mask(canonical_volume)` where it is known already.

    Returns:
      The numbers that `pool_statistics` takes; where a rule asks for the body and there is none, those of the volume.
    """
    if rule.kind == "window":
        return IntensityStatistics(low=rule.low, high=rule.high)
    voxels = canonical_volume.voxels
    masks = {"volume": None, "body": None}
    if "body" in (rule.low_of, rule.high_of):
        body = body_mask(canonical_volume) if body is None else body
        masks["body"] = body if body.any() else None
    if rule.kind == "zscore":
        count, mean, variance = moments(voxels, masks[rule.low_of])
        return IntensityStatistics(count=count, mean=mean, variance=variance)
    if rule.low_of == rule.high_of:
        return IntensityStatistics(*percentiles(voxels, masks[rule.low_of], (rule.low, rule.high)))
    (low,), (high,) = (
        percentiles(voxels, masks[part], (point,))
        for part, point in ((rule.low_of, rule.low), (rule.high_of, rule.high))
    )
    return IntensityStatistics(low, high)


def pool_statistics(
    statistics: Sequence[IntensityStatistics], rule: IntensityRule, where: str = "the training cases"
) -> Intensity:
    """Makes one intensity of what was measured in several volumes, whatever order they come in.

    Args:
      statistics: the statistics of each volume, from `measure_intensity` with the same rule.
      rule: that rule.
      where: what messages call the volumes.

    Returns:
      `percentile`: the medians of the volumes' low and of their high percentiles. `zscore`: mean and deviation of all
      voxels together, times the rule's numbers. `window`: the window.

    Raises:
      InputError: there is no volume, or no contrast in them.
    """
    if rule.kind == "window":
        return Intensity(rule_text(rule), rule.low, rule.high)
    if not statistics:
        raise InputError(where, "at least one scan to measure", "none", "check the split and the folders")
    if rule.kind == "percentile":
        low, high = (float(np.median([getattr(measured, end) for measured in statistics])) for end in ("low", "high"))
    else:
        # fsum rounds once, at the end, so that the order of the volumes cannot show in the last bit.
        count = sum(measured.count for measured in statistics)
        mean = math.fsum(measured.count * measured.mean for measured in statistics) / count
        variance = (
            math.fsum(measured.count * (measured.variance + (measured.mean - mean) ** 2) for measured in statistics)
            / count
        )
        low, high = (mean + times * math.sqrt(variance) for times in (rule.low, rule.high))
    if not high > low:
        raise InputError(where, "a scan with contrast", f"{low:g} as its low and its high intensity", "check the file")
    return Intensity(rule_text(rule), low, high)


def fit_intensity(
    canonical_volume: Volume, rule: IntensityRule | None = None, body: np.ndarray | None = None
) -> Intensity:
    """Chooses the intensities of a case by its own voxels.

    Args:
      canonical_volume: [slice, row, column] volume in canonical orientation.
      rule: that of the volume's domain if None.
      body: [slice, row, column] bool, `body_mask(canonical_volume)` where it is known already.

    Returns:
      The raw values of −1 and +1.

    Raises:
      InputError: the volume holds no contrast.
    """
    rule = rule or canonical_volume.domain.intensity
    return pool_statistics([measure_intensity(canonical_volume, rule, body)], rule, canonical_volume.where)
