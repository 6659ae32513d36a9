"""Protocols: what exactly is scored, under a name that travels with every number.

The same label maps score differently by different protocols, and published tables mix them. A protocol turns a case
into units of scoring (volumes, or slices); means and deviations run over the units of all cases.
"""

import dataclasses
import difflib
import functools
from collections.abc import Callable, Sequence

import numpy as np

from attent_tf.errors import ConfigError
from attent_tf.metrics.scores import Score, score_case, score_slices

DEFAULT_PROTOCOL = "per_volume"

_VOLUME_TEXT = (
    "Each organ of each volume is scored once, in three dimensions, on the grid of the records. Dice follows Eq. 9. "
    "ASSD follows Eq. 10: the distances of both directions are pooled and divided by the number of all surface voxels; "
    "a surface voxel is an organ voxel with one of its 6 neighbours outside the organ. {outside} An organ that is in "
    "neither map is undefined and left out of the means, which say so; an organ that is in only one map has Dice 0 and "
    "an infinite distance, which makes the mean distance infinite. Means and standard deviations (divided by n) run "
    "over volumes."
)
_SLICE_TEXT = (
    "As in the code released with the paper, and not comparable with scores per volume: every slice is scored by "
    "itself; an organ that is in neither map of a slice counts as Dice 100; the distance runs from the predicted "
    "outline to the reference outline only, and slices in which either is missing are left out of it, so that a missed "
    "organ costs nothing there. Voxels are pixels. Means and standard deviations (divided by n) run over the slices of "
    "all volumes."
)


@dataclasses.dataclass(frozen=True)
class Protocol:
    """How label maps become scores.

    Attributes:
      name: the key in `PROTOCOLS`.
      unit: what is scored at once: `volume` or `slice`.
      text: the protocol in words.
      score: (prediction, reference, spacing_mm) to the scores of the units of one case.
    """

    name: str
    unit: str
    text: str
    score: Callable[[np.ndarray, np.ndarray, Sequence[float]], list[Score]]


def _score_volume(
    prediction: np.ndarray, reference: np.ndarray, spacing_mm: Sequence[float], outside: str
) -> list[Score]:
    return [score_case(prediction, reference, spacing_mm, outside)]


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "per_volume",
            "volume",
            _VOLUME_TEXT.format(outside="Beyond the border of the volume is background, as in medpy."),
            functools.partial(_score_volume, outside="background"),
        ),
        Protocol(
            "per_volume_chaos",
            "volume",
            _VOLUME_TEXT.format(
                outside="An organ goes on beyond the border of the volume, as in the code of the CHAOS challenge."
            ),
            functools.partial(_score_volume, outside="object"),
        ),
        Protocol("released_2d", "slice", _SLICE_TEXT, score_slices),
    )
}


def find_protocol(name: str) -> Protocol:
    """Returns the protocol of that name.

    Raises:
      ConfigError: there is none; the message suggests the nearest name.
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    near = difflib.get_close_matches(str(name), PROTOCOLS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ConfigError(f"protocol: expected one of {', '.join(PROTOCOLS)}; got {name!r}{hint}")
