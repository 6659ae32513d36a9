"""One subject: everything that is drawn at random, and the order in which it is painted."""

import dataclasses

import numpy as np

from attent_tf.phantom.canvas import Canvas, Warp
from attent_tf.phantom.gut import Gut
from attent_tf.phantom.organs import PERIRENAL_FAT_MM, Kidney, Liver, Spleen, grown_to
from attent_tf.phantom.spine import GreatVessels, Spine
from attent_tf.phantom.tissues import Tissue
from attent_tf.phantom.torso import Torso

_COARSE_MM = 5.0
# Volume of a kidney with its sinus, relative to its parenchyma.
_WITH_SINUS = 1.06
_SLAB_VOXELS = 1_000_000


@dataclasses.dataclass(frozen=True)
class Anatomy:
    """A subject's anatomy as functions of patient millimetres; `paint` shows it on any grid.

    Attributes:
      volumes_ml: volume drawn for each labelled organ, which its shape then reaches.
    """

    warp: Warp
    torso: Torso
    spine: Spine
    vessels: GreatVessels
    right_kidney: Kidney
    left_kidney: Kidney
    spleen: Spleen
    liver: Liver
    gut: Gut
    volumes_ml: dict[str, float]

    def paint(self, z_mm: np.ndarray, y_mm: np.ndarray, x_mm: np.ndarray) -> np.ndarray:
        """Returns the tissues (uint8) [slice, row, column] on the grid that three axes (mm, RAS+) span."""
        tissues = np.zeros((len(z_mm), len(y_mm), len(x_mm)), np.uint8)
        side, front, back = (reach + 10 for reach in self.torso.outer_mm)
        rows = np.flatnonzero((y_mm > -back) & (y_mm < front))
        columns = np.flatnonzero(np.abs(x_mm) < side)
        rows, columns = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        # In slabs, because arrays that fit the processor's cache are several times faster.
        thickness = max(1, _SLAB_VOXELS // ((rows.stop - rows.start) * (columns.stop - columns.start)))
        for first in range(0, len(z_mm), thickness):
            slab = slice(first, first + thickness)
            canvas = self.torso.with_space(Canvas.blank(z_mm[slab], y_mm[rows], x_mm[columns], self.warp))
            self._paint(canvas)
            tissues[slab, rows, columns] = canvas.tissues
        return tissues

    def _paint(self, canvas: Canvas) -> None:
        # Later layers cover earlier ones: this order is what keeps organs from overlapping.
        self.torso.paint_wall(canvas)
        self.spine.paint_muscles(canvas)
        self.gut.paint(canvas)
        self.spleen.paint(canvas)
        self.liver.paint(canvas)
        self.gut.paint_oesophagus(canvas)
        self.right_kidney.paint(canvas)
        self.left_kidney.paint(canvas)
        self.vessels.paint(canvas)
        self.spine.paint_bones(canvas)
        self.torso.paint_ribs(canvas)
        self.torso.paint_pelvis(canvas)


def make_anatomy(rng: np.random.Generator) -> Anatomy:
    """Draws a subject: sizes and places within adult ranges, in physical millimetres."""
    warp = Warp.draw(rng)
    torso = Torso.draw(rng)
    spine = Spine.draw(rng, torso)
    vessels = GreatVessels.draw(rng, torso, spine)
    volumes = _draw_volumes(rng)
    height_mm = rng.uniform(4, 16)
    left = Kidney.draw(rng, spine, -1, height_mm)
    right = Kidney.draw(rng, spine, 1, height_mm - rng.uniform(10, 20))
    spleen = Spleen.draw(rng, torso)
    liver = Liver.draw(rng, torso)
    gut = Gut.draw(rng, torso, spine)

    # Sizes are settled on a coarse grid, from the top layer down, so that each organ makes up for what covers it.
    axes = [np.arange(-reach, reach + 1, _COARSE_MM) for reach in (150.0, 110.0, 165.0)]
    grid = torso.with_space(Canvas.blank(*axes, warp))
    vessels.paint(grid)
    spine.paint_bones(grid)
    right = _grown(right, _WITH_SINUS * volumes["right_kidney"], grid)
    left = _grown(left, _WITH_SINUS * volumes["left_kidney"], grid)
    for kidney in (right, left):
        part = kidney.region(grid)
        part.fill(kidney.level(part) < PERIRENAL_FAT_MM, Tissue.VISCERAL_FAT)
    liver = _grown(liver, volumes["liver"], grid)
    liver = liver.furnished(rng, torso, vessels.hepatic_confluence_mm())
    spleen = _grown(spleen, volumes["spleen"], grid)
    return Anatomy(warp, torso, spine, vessels, right, left, spleen, liver, gut, volumes)


def _draw_volumes(rng: np.random.Generator) -> dict[str, float]:
    right_kidney = float(np.clip(rng.normal(155, 16), 128, 190))
    return {
        "liver": float(np.clip(rng.normal(1530, 160), 1250, 1850)),
        "spleen": float(np.clip(rng.lognormal(np.log(195), 0.25), 130, 285)),
        "right_kidney": right_kidney,
        "left_kidney": float(np.clip(right_kidney * rng.uniform(0.95, 1.12), 128, 190)),
    }


def _grown(organ, volume_ml: float, grid: Canvas):
    """Returns the organ at the growth at which it takes `volume_ml` of what is still blank on the canvas."""
    part = organ.region(grid)
    blank = part.tissues == Tissue.OUTSIDE

    def volume(growth_mm: float) -> float:
        inside = dataclasses.replace(organ, growth_mm=growth_mm).level(part) < 0
        return np.count_nonzero(inside & blank) * _COARSE_MM**3 / 1000

    return dataclasses.replace(organ, growth_mm=grown_to(volume_ml, volume))
