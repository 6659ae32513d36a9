"""Whether labels lie where organs lie: a wrong affine shows as a liver on the left or kidneys in front."""

import dataclasses
from collections.abc import Callable

import numpy as np

from attent_tf.errors import InputError
from attent_tf.organs import CLASS_NAMES, LEFT_KIDNEY, LIVER, NUM_CLASSES, RIGHT_KIDNEY, SPLEEN
from attent_tf.volumes.body import body_mask
from attent_tf.volumes.orientation import to_canonical
from attent_tf.volumes.volume import Volume

# Rows run from front to back and columns from the patient's right to left, so larger means farther back, farther left.
_BACK, _LEFT = 0, 1

_BONE_HU = 250.0

_SLICES_AT_ONCE = 8


def check_anatomy(volume: Volume) -> None:
    """Checks by labels and affine that a scan stands in the patient as it says.

    By centroids: the liver lies right of the spleen and of the body's middle, the right kidney right of the left one
    and on the liver's side, the left kidney on the spleen's side, and both kidneys, which lie beside the spine, behind
    the liver and behind the body's middle. Where a CT has no labelled kidney, its bone must lie behind the body's
    middle. Rules about absent organs are left out.

    Args:
      volume: any orientation; without labels nothing is checked.

    Raises:
      InputError: a rule is broken; names the file and by how much.
    """
    if volume.labels is not None:
        canonical = to_canonical(volume)
        check_canonical_anatomy(canonical, body_mask(canonical), volume.axis_codes)


def check_canonical_anatomy(canonical: Volume, body: np.ndarray, stored_codes: str) -> None:
    """As `check_anatomy`, where the canonical volume and its body are known already.

    Args:
      canonical: [slice, row, column] volume in canonical orientation.
      body: [slice, row, column] bool, `body_mask(canonical)`.
      stored_codes: axis codes of the scan as stored, for the message.
    """
    if canonical.labels is None:
        return
    broken = [text for text, margin_mm in _rules(canonical, body) if margin_mm <= 0]
    if broken:
        raise InputError(
            canonical.where,
            "organs where they lie in a patient",
            f"{'; '.join(broken)} (axes read as {stored_codes})",
            "the orientation in the file, or the numbering of its labels, is wrong",
        )


def _rules(canonical: Volume, body: np.ndarray) -> list[tuple[str, float]]:
    """What would be wrong, and by how many millimetres it is right."""
    # How far a step along slices, rows and columns leads backwards and leftwards: more than one may where axes are oblique.
    steps_mm = -canonical.affine[[1, 0], :3]
    in_body = _Profiles.of(lambda part: body[part], canonical)
    centres, middles, spans = {}, {}, {}
    for index in range(1, NUM_CLASSES):
        organ = _Profiles.of(lambda part, index=index: canonical.labels[part] == index, canonical)
        spans[index] = organ.rows.any(axis=1)
        if spans[index].any():
            centres[index] = organ.centre_mm(steps_mm)
            # In the organ's own slices: a body may bend.
            middles[index] = in_body.centre_mm(steps_mm, spans[index])
    rules = []

    def expect(smaller: np.ndarray | None, axis: int, larger: np.ndarray | None, wrong: str) -> None:
        if smaller is not None and larger is not None:
            margin_mm = float(larger[axis] - smaller[axis])
            rules.append((f"{wrong} by {abs(margin_mm):.0f} mm", margin_mm))

    liver, spleen = centres.get(LIVER), centres.get(SPLEEN)
    right_kidney, left_kidney = centres.get(RIGHT_KIDNEY), centres.get(LEFT_KIDNEY)
    expect(liver, _LEFT, spleen, "the liver left of the spleen")
    expect(liver, _LEFT, middles.get(LIVER), "the liver left of the body's middle")
    expect(right_kidney, _LEFT, left_kidney, "the right kidney left of the left one")
    if liver is not None and spleen is not None:
        between = (liver + spleen) / 2
        expect(right_kidney, _LEFT, between, "the right kidney on the spleen's side")
        expect(between, _LEFT, left_kidney, "the left kidney on the liver's side")
    for index in (RIGHT_KIDNEY, LEFT_KIDNEY):
        name = CLASS_NAMES[index].replace("_", " ")
        expect(liver, _BACK, centres.get(index), f"the {name} in front of the liver")
        expect(middles.get(index), _BACK, centres.get(index), f"the {name} in front of the body's middle")
    if canonical.domain == "ct" and centres and right_kidney is None and left_kidney is None:
        # Only at the height of liver and spleen, where bone is spine and ribs: a pelvis has much of it in front.
        span = np.any(list(spans.values()), axis=0)
        bone = _Profiles.of(lambda part: body[part] & (canonical.voxels[part] > _BONE_HU), canonical)
        middle, bone_middle = (profiles.centre_mm(steps_mm, span) for profiles in (in_body, bone))
        expect(middle, _BACK, bone_middle, "bone in front of the body's middle")
    return rules


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
        """[backwards, leftwards] of the centroid within the slices of `span`, in millimetres; None where nothing lies there.

        Args:
          steps_mm: [2, 3], what a step along slices, rows and columns adds to either.
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
