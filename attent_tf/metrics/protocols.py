"""Protocols: what exactly is scored, under a name that travels with every number.

The same label maps have different scores by different protocols, and published tables mix them. A protocol turns a case
into units of scoring (volumes, or slices); means and deviations run over the units of all cases.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np

from attent_tf.errors import ConfigError, did_you_mean
from attent_tf.metrics.scores import TOLERANCE_MM, Score, score_case, score_slices
from attent_tf.metrics.voxel_axes import Spacing

DEFAULT_PROTOCOL = "volume_3d"

_VOLUME_TEXT = (
    "Each structure of each volume is scored once, in three dimensions, {grid} Dice follows Eq. 9. ASSD follows Eq. 10: the "
    "distances of both directions are pooled and divided by the number of all surface voxels; a surface voxel is a "
    "voxel of it with one of its 6 neighbours outside. {outside} HD95 is the 95th percentile of the same pooled "
    f"distances, and surface Dice the share of all surface voxels within {TOLERANCE_MM:g} mm of the other surface. The "
    "volume difference is prediction minus reference, so that its mean is a bias. A structure that is in neither map is "
    "undefined and left out of the means, which say so; one that is in only one map has Dice 0, surface Dice 0 and "
    "an infinite distance, which makes the mean distance infinite. Means and standard deviations (divided by n) run over "
    "volumes."
)
_ON_RECORDS = "on the grid of the records, in voxels of that grid and in millimetres."
_ON_SCAN = (
    "on the grid of the original scan: the probabilities of the networks are resampled to its voxels before a class is "
    "taken, and compared with the labels as they were drawn. Distances are in millimetres; voxels of different scans "
    "differ, so that distances in voxels are left undefined."
)
_BACKGROUND = "Beyond the border of the volume is background, as in medpy."
_OBJECT = "A structure goes on beyond the border of the volume, as in the code of the CHAOS challenge."
_SLICE_TEXT = (
    "As in the code released with the paper, and not comparable with scores per volume: every slice is scored by "
    "itself, on the grid of the records; a structure that is in neither map of a slice counts as Dice 100; the distance runs "
    "from the predicted outline to the reference outline only, and slices in which either is missing are left out of it, "
    "so that a missed structure costs nothing there. Voxels are pixels. What that code does not measure is undefined. Means "
    "and standard deviations (divided by n) run over the slices of all volumes."
)


@dataclasses.dataclass(frozen=True)
class Protocol:
    """A protocol: how label maps become scores.

    Attributes:
      name: the key in `PROTOCOLS`.
      unit: what is scored at once: `volume` or `slice`.
      grid: on which voxels the maps are compared: those of the `records`, or those of the original `scan`.
      text: the protocol in words.
      score: (prediction, reference, spacing_mm, names of the classes from 1) to the scores of the units of one case.
    """

    name: str
    unit: str
    grid: str
    text: str
    score: Callable[[np.ndarray, np.ndarray, Spacing, Sequence[str]], list[Score]]


def _score_volume(
    prediction: np.ndarray,
    reference: np.ndarray,
    spacing_mm: Spacing,
    structures: Sequence[str],
    outside: str = "background",
) -> list[Score]:
    return [score_case(prediction, reference, spacing_mm, structures, outside)]


def _score_scan(
    prediction: np.ndarray, reference: np.ndarray, spacing_mm: Spacing, structures: Sequence[str]
) -> list[Score]:
    score = score_case(prediction, reference, spacing_mm, structures)
    return [{name: {**metrics, "assd_voxel": float("nan")} for name, metrics in score.items()}]


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "volume_3d",
            "volume",
            "records",
            _VOLUME_TEXT.format(grid=_ON_RECORDS, outside=_BACKGROUND),
            _score_volume,
        ),
        Protocol(
            "volume_3d_chaos",
            "volume",
            "records",
            _VOLUME_TEXT.format(grid=_ON_RECORDS, outside=_OBJECT),
            functools.partial(_score_volume, outside="object"),
        ),
        Protocol("native_3d", "volume", "scan", _VOLUME_TEXT.format(grid=_ON_SCAN, outside=_BACKGROUND), _score_scan),
        Protocol("released_2d", "slice", "records", _SLICE_TEXT, score_slices),
    )
}


def find_protocol(name: str) -> Protocol:
    """Returns the protocol of that name.

    Raises:
      ConfigError: there is none; the message suggests the nearest name.
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    raise ConfigError(
        f"protocol: expected one of {', '.join(PROTOCOLS)}, found {name!r}{did_you_mean(name, PROTOCOLS)}"
    )
