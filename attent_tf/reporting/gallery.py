"""Which cases and slices a report shows, and their pictures as data URIs."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from attent_tf.errors import InputError
from attent_tf.metrics.evaluation import Evaluation
from attent_tf.reporting.pictures import (
    body_box,
    choose_slices,
    data_uri,
    grey_picture,
    heat_picture,
    overlay_picture,
)
from attent_tf.reporting.tables import cases_from_worst_to_best


@dataclasses.dataclass(frozen=True)
class Tile:
    """One picture with its caption and its description for those who cannot see it."""

    caption: str
    description: str
    uri: str
    width: int
    height: int


@dataclasses.dataclass(frozen=True)
class SliceRow:
    """The pictures of one slice, from the input to the reference."""

    title: str
    tiles: tuple[Tile, ...]


@dataclasses.dataclass(frozen=True)
class CaseGallery:
    """The slices of one case."""

    case: str
    remark: str
    rows: tuple[SliceRow, ...]


def choose_cases(evaluations: Sequence[Evaluation], count: int) -> list[tuple[str, str]]:
    """Chooses cases evenly from the worst to the best by mean Dice, out of those that every method was run on.

    Returns:
      (case, remark); the remark says `lowest mean Dice`, `highest mean Dice`, or nothing.
    """
    shared = set.intersection(*({case["case"] for case in evaluation.cases} for evaluation in evaluations))
    order = [name for name in cases_from_worst_to_best(evaluations) if name in shared]
    places = sorted({round(place) for place in np.linspace(0, len(order) - 1, min(count, len(order)))})
    labelled = {case["case"] for evaluation in evaluations for case in evaluation.cases if case.get("labelled", True)}
    remarks = {0: "lowest mean Dice", len(order) - 1: "highest mean Dice"} if len(order) > 1 else {}
    return [(order[place], remarks.get(place, "") if order[place] in labelled else "") for place in places]


def case_gallery(
    case: str, remark: str, entries: Sequence[tuple[str, Evaluation]], shown: int, slices: int
) -> CaseGallery:
    """Makes the pictures of one case.

    Args:
      case: its name.
      remark: why it is shown.
      entries: (label, evaluation) of each method; each holds the case.
      shown: index of the method whose translation and entropy are shown.
      slices: how many slices.

    Raises:
      InputError: pictures cannot be read, or the methods were evaluated on different grids.
    """
    pictures = [(label, evaluation.pictures(case)) for label, evaluation in entries]
    label, main = pictures[shown]
    for name, arrays in pictures:
        if arrays["prediction"].shape != main["image"].shape:
            raise InputError(
                f"case {case}: expected one grid for all methods, got {main['image'].shape} from {label} and "
                f"{arrays['prediction'].shape} from {name}; evaluate both on the same records"
            )
    reference = main.get("reference")
    guide = reference if reference is not None and reference.any() else main["prediction"]
    box = body_box(main["image"])
    spacing = tuple(float(step) for step in main["spacing_mm"][1:])
    own = f" ({label})" if len(entries) > 1 else ""
    rows = []
    for index in choose_slices(guide, slices):
        where = (index, *box)
        place = f"{case}, slice {index + 1} of {len(guide)}"
        image = main["image"][where]
        tiles = [_tile("Input", f"{place}: the scan", grey_picture(image, spacing))]
        if "translated" in main:
            picture = grey_picture(main["translated"][where], spacing)
            tiles.append(_tile(f"Translated{own}", f"{place}: the scan in source style{own}", picture))
        if "entropy" in main:
            picture = heat_picture(main["entropy"][where], spacing)
            description = f"{place}: entropy of the prediction{own}, bright where unsure"
            tiles.append(_tile(f"Entropy{own}", description, picture))
        for name, arrays in pictures:
            picture = overlay_picture(image, arrays["prediction"][where], spacing)
            caption = name if len(entries) > 1 else "Prediction"
            tiles.append(_tile(caption, f"{place}: organs predicted by {name}", picture))
        if reference is not None:
            picture = overlay_picture(image, reference[where], spacing)
            tiles.append(_tile("Reference", f"{place}: organs of the reference", picture))
        rows.append(SliceRow(f"Slice {index + 1} of {len(guide)}", tuple(tiles)))
    return CaseGallery(case, remark, tuple(rows))


def _tile(caption: str, description: str, picture) -> Tile:
    return Tile(caption, description, data_uri(picture), picture.width, picture.height)
