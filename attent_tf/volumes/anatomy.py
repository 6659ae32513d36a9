"""Whether labels lie and measure as structures do in a patient.

A wrong affine shows as a liver on the left, a wrong unit as one of a hundred litres.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from attent_tf.errors import InputError
from attent_tf.tasks import BODY, BONE, AnatomyRule, Task
from attent_tf.volumes.body import body_mask
from attent_tf.volumes.orientation import to_canonical
from attent_tf.volumes.placement import voxel_ml
from attent_tf.volumes.volume import Volume

# What a scan that does not pass was expected to show; says the kind of the problem as well.
EXPECTED = "structures that lie and measure as in a patient"

# The directions in which places are compared; the row of an affine that holds each, and the sign with which it does.
_BACKWARDS, _LEFTWARDS, _UPWARDS = range(3)
_WORLD_AXES, _SIGNS = [1, 0, 2], np.array([[-1.0], [-1.0], [1.0]])

# relation -> axis, whether the structure lies farther along it than what it is compared with, and the opposite in words.
_RELATIONS = {
    "right_of": (_LEFTWARDS, False, "left of"),
    "left_of": (_LEFTWARDS, True, "right of"),
    "in_front_of": (_BACKWARDS, False, "behind"),
    "behind": (_BACKWARDS, True, "in front of"),
    "above": (_UPWARDS, True, "below"),
    "below": (_UPWARDS, False, "above"),
}

_BONE_HU = 250.0

_SLICES_AT_ONCE = 8


def check_anatomy(volume: Volume, task: Task) -> None:
    """Checks by labels and affine that a scan stands in the patient as it says.

    Each rule of the task compares centroids. Rules about what a scan does not show, and about bone where it is not in Hounsfield
    units, are left out. No structure may be larger than any patient's.

    Args:
      volume: any orientation; without labels nothing is checked.
      task: whose classes the labels are.

    Raises:
      InputError: a rule is broken; names the file and by how much.
    """
    if volume.labels is not None:
        canonical = to_canonical(volume)
        check_canonical_anatomy(canonical, body_mask(canonical), volume.axis_codes, task)


def check_canonical_anatomy(canonical: Volume, body: np.ndarray, stored_codes: str, task: Task) -> None:
    """As `check_anatomy`, where the canonical volume and its body are known already.

    Args:
      canonical: [slice, row, column] volume in canonical orientation.
      body: [slice, row, column] bool, `body_mask(canonical)`.
      stored_codes: axis codes of the scan as stored, for the message.
      task: whose classes the labels are.
    """
    if canonical.labels is None:
        return
    scene = _Scene(canonical, body, task)
    broken = [*_broken_rules(scene, task.anatomy), *_too_large(scene, task)]
    if broken:
        raise InputError(
            canonical.where,
            EXPECTED,
            f"{'; '.join(broken)} (axes read as {stored_codes})",
            "the orientation or the unit in the file, or the numbering of its labels, is wrong",
        )


def _broken_rules(scene: "_Scene", rules: Sequence[AnatomyRule]) -> Iterator[str]:
    """What is wrong, and by how many millimetres."""
    for rule in rules:
        if any(scene.shows(name) for name in rule.unless):
            continue
        place, reference = scene.centre(rule.structure), scene.reference(rule)
        if place is None or reference is None:
            continue
        axis, farther, opposite = _RELATIONS[rule.lies]
        margin_mm = float(place[axis] - reference[axis]) if farther else float(reference[axis] - place[axis])
        if margin_mm <= 0:
            yield f"{_shown(rule.structure)} {opposite} {_shown_reference(rule.of)} by {abs(margin_mm):.0f} mm"


def _too_large(scene: "_Scene", task: Task) -> Iterator[str]:
    for structure in task.structures:
        ml = scene.volume_ml(structure.name) if structure.largest_ml < math.inf else 0.0
        if ml > structure.largest_ml:
            yield f"{_shown(structure.name)} of {ml:.0f} ml, where {structure.largest_ml:g} ml are more than any patient's"


def _shown(name: str) -> str:
    return "bone" if name == BONE else f"the {name.replace('_', ' ')}"


def _shown_reference(names: Sequence[str]) -> str:
    if names == (BODY,):
        return "the body's middle"
    if len(names) == 1:
        return _shown(names[0])
    words = [_shown(name) for name in names]
    return f"the middle between {', '.join(words[:-1])} and {words[-1]}"


class _Scene:
    """Where what a scan shows lies: [backwards, leftwards, upwards] in millimetres.

    Args: as of `check_canonical_anatomy`; there are labels.
    """

    def __init__(self, canonical: Volume, body: np.ndarray, task: Task):
        # How far a step along slices, rows and columns leads in each direction: more than one may where axes are oblique.
        self._steps_mm = _SIGNS * canonical.affine[_WORLD_AXES, :3]
        self._voxel_ml = voxel_ml(canonical.affine)
        self._canonical, self._body, self._task = canonical, body, task
        self._found: dict[str, _Profiles] = {}

    def shows(self, name: str) -> bool:
        """Whether a structure is labelled."""
        return bool(self._profiles(name).rows.any())

    def volume_ml(self, name: str) -> float:
        """Volume of a structure in mL."""
        return float(self._profiles(name).rows.sum()) * self._voxel_ml

    def centre(self, name: str) -> np.ndarray | None:
        """Centroid of a structure, or of the bone of a CT at the height of what is labelled; None if there is none."""
        if name != BONE:
            return self._profiles(name).centre_mm(self._steps_mm)
        if self._canonical.domain.kind != "ct":
            return None
        # Only there: a pelvis has much bone in front.
        return self._profiles(BONE).centre_mm(self._steps_mm, self._span(BONE))

    def reference(self, rule: AnatomyRule) -> np.ndarray | None:
        """What a rule compares its structure with; None if the scan does not show all of it."""
        if rule.of == (BODY,):
            # In the structure's own slices: a body may bend.
            return self._profiles(BODY).centre_mm(self._steps_mm, self._span(rule.structure))
        centres = [self.centre(name) for name in rule.of]
        return None if any(centre is None for centre in centres) else sum(centres) / len(centres)

    def _span(self, name: str) -> np.ndarray:
        """[slice] bool, the slices that show a structure, or for bone, anything labelled."""
        if name == BONE:
            return np.array([plane.any() for plane in self._canonical.labels])
        return self._profiles(name).rows.any(axis=1)

    def _profiles(self, name: str) -> "_Profiles":
        if name not in self._found:
            self._found[name] = _Profiles.of(functools.partial(self._mask, name), self._canonical)
        return self._found[name]

    def _mask(self, name: str, part: slice) -> np.ndarray:
        if name == BODY:
            return self._body[part]
        if name == BONE:
            return self._body[part] & (self._canonical.voxels[part] > _BONE_HU)
        return self._canonical.labels[part] == self._task.class_names.index(name)


@dataclasses.dataclass(frozen=True)
class _Profiles:
    """How many voxels of something lie in each row and in each column of each slice.

    Attributes:
      rows: [slice, row] counts.
      columns: [slice, column] counts.
    """

    rows: np.ndarray
    columns: np.ndarray

    @classmethod
    def of(cls, mask_of: Callable[[slice], np.ndarray], canonical: Volume) -> "_Profiles":
        """Counts the mask that `mask_of` makes of a few slices at a time: a whole one is as large as the labels."""
        slices, rows, columns = canonical.shape
        profiles = cls(np.empty((slices, rows), np.int64), np.empty((slices, columns), np.int64))
        for start in range(0, slices, _SLICES_AT_ONCE):
            part = slice(start, min(start + _SLICES_AT_ONCE, slices))
            # Products with ones are the quickest sums of bits that NumPy has, and exact: no row has 2²⁴ voxels.
            mask = mask_of(part).astype(np.float32)
            profiles.rows[part] = mask @ np.ones(columns, np.float32)
            profiles.columns[part] = np.ones(rows, np.float32) @ mask
        return profiles

    def centre_mm(self, steps_mm: np.ndarray, span: np.ndarray | slice = slice(None)) -> np.ndarray | None:
        """[backwards, leftwards, upwards] in millimetres of the centroid within some slices; None if nothing lies there.

        Args:
          steps_mm: [3, 3], what a step along slices, rows and columns adds to each.
          span: indices, or a mask of slices.
        """
        slices = self.rows.sum(axis=1)
        kept = np.zeros(len(slices), bool)
        kept[span] = True
        profiles = (slices * kept, self.rows[kept].sum(axis=0), self.columns[kept].sum(axis=0))
        total = profiles[0].sum()
        if total == 0:
            return None
        return steps_mm @ [np.dot(profile, np.arange(len(profile))) / total for profile in profiles]
