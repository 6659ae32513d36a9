"""The trunk: skin, fat, the muscle ring, ribs, pelvis, diaphragm, lungs and heart."""

import dataclasses

import numpy as np

from attent_tf.phantom.canvas import Canvas, ellipsoid, smooth_max
from attent_tf.phantom.tissues import Tissue

_SKIN_MM = 2.0
_WALL_GAP_MM = 3.0
_DIAPHRAGM_MM = 4.0
_RIB_PITCH_MM = 26.0
# How far round the trunk each rib reaches, from the spine (0) to the breastbone (1): ribs 12, 11, 10, ...
_RIB_REACH = np.array([0.34, 0.50, 0.74, 0.82, 0.86, 0.88, 0.9, 0.9, 0.9, 0.9, 0.9])
_SQUARENESS = 0.067


@dataclasses.dataclass(frozen=True)
class Torso:
    """Sizes of the trunk in millimetres.

    Attributes:
      half_width_mm, half_depth_mm: of the abdominal cavity.
      muscle_mm: thickness of the muscle ring.
      fat_side_mm, fat_front_mm, fat_back_mm: thickness of the subcutaneous fat.
      dome_mm: height z of the right dome of the diaphragm; the left one is `dome_drop_mm` lower.
      rib_mm: height z of the twelfth rib at the spine.
      crest_mm: height z of the iliac crests.
    """

    half_width_mm: float
    half_depth_mm: float
    muscle_mm: float
    fat_side_mm: float
    fat_front_mm: float
    fat_back_mm: float
    dome_mm: float
    dome_drop_mm: float
    rib_mm: float
    crest_mm: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Torso":
        fatness = rng.beta(1.6, 1.8)
        fat = 9 + 17 * fatness
        return cls(
            half_width_mm=rng.uniform(129, 138) + 11 * fatness,
            half_depth_mm=rng.uniform(84, 90) + 10 * fatness,
            muscle_mm=rng.uniform(12, 15),
            fat_side_mm=fat * rng.uniform(1.0, 1.25),
            fat_front_mm=fat * rng.uniform(0.6, 0.9),
            fat_back_mm=fat * rng.uniform(0.6, 0.9),
            dome_mm=rng.uniform(98, 114),
            dome_drop_mm=rng.uniform(8, 18),
            rib_mm=rng.uniform(38, 48),
            crest_mm=rng.uniform(-92, -78),
        )

    @property
    def left_dome_mm(self) -> float:
        return self.dome_mm - self.dome_drop_mm

    @property
    def outer_mm(self) -> tuple[float, float, float]:
        """Distance of the skin from the origin to the side, to the front and to the back."""
        return (
            self.half_width_mm + self.muscle_mm + self.fat_side_mm,
            self.half_depth_mm + self.muscle_mm + self.fat_front_mm,
            self.half_depth_mm + self.muscle_mm + self.fat_back_mm,
        )

    def with_space(self, canvas: Canvas) -> Canvas:
        """Returns the canvas, sharing memory, with the level functions of the cavity and of the abdomen."""
        cavity = _oval(canvas, self.half_width_mm, self.half_depth_mm, self.half_depth_mm)
        under = (canvas.z - self.diaphragm_mm(canvas) + np.float32(_DIAPHRAGM_MM + 1)) * np.float32(0.8)
        abdomen = smooth_max(under, cavity + np.float32(_WALL_GAP_MM), 12.0)
        return dataclasses.replace(canvas, cavity=cavity, abdomen=abdomen)

    def body_level(self, canvas: Canvas) -> np.ndarray:
        """Returns the level function of the skin's surface."""
        return _oval(canvas, *self.outer_mm)

    def diaphragm_mm(self, canvas: Canvas) -> np.ndarray:
        """Returns the height z of the upper surface of the diaphragm over each point."""
        x, y = canvas.x, canvas.y
        side = np.maximum(np.abs(x) - 50, 0)
        height = np.float32(self.dome_mm) - np.float32(0.0072) * side * side - np.float32(0.0062) * (y - 8) ** 2
        height -= np.float32(self.dome_drop_mm) / (1 + np.exp(np.clip((x + 15) / 12, -30, 30)))
        return height - 9 * np.exp(-((x / 28) ** 2))

    def paint_wall(self, canvas: Canvas) -> None:
        """Paints skin, fat, muscle ring, visceral fat, and what lies above the diaphragm."""
        body, cavity = self.body_level(canvas), canvas.cavity
        tissues = np.where(body < -_SKIN_MM, np.uint8(Tissue.SUBCUTANEOUS_FAT), np.uint8(Tissue.SKIN))
        tissues[body > 0] = Tissue.OUTSIDE
        # The wall is thinner in front of the cavity (aponeuroses) than at its sides.
        tissues[(cavity < self.muscle_mm) & (body < -_SKIN_MM)] = Tissue.MUSCLE
        tissues[cavity < 0] = Tissue.VISCERAL_FAT
        canvas.tissues[...] = tissues

        chest = canvas.crop((-1e3, -1e3, -20), (1e3, 1e3, 1e3))

        if chest.is_empty:
            return
        inside = chest.cavity < -2
        above = chest.z - self.diaphragm_mm(chest)
        chest.fill(inside & (above > -_DIAPHRAGM_MM) & (above <= 0), Tissue.MUSCLE)
        middle = ellipsoid(chest, (-6, 8, self.dome_mm + 20), (34, 70, 120))
        chest.fill(inside & (above > 0) & (middle > 0), Tissue.LUNG)

        centre = (-28, 28, self.dome_mm + 42)
        heart = chest.around(centre, (68, 52, 52))
        shape = ellipsoid(heart, centre, (62, 46, 46)) < 0
        fat = ellipsoid(heart, centre, (67, 51, 50)) < 0
        above = (heart.z > self.diaphragm_mm(heart)) & (heart.cavity < -4)
        heart.fill(fat & above, Tissue.VISCERAL_FAT)
        heart.fill(shape & above, Tissue.HEART)

    def paint_ribs(self, canvas: Canvas) -> None:
        """Paints ribs 5 to 12 as oblique bars within the muscle ring."""
        chest = canvas.crop((-1e3, -1e3, self.rib_mm - 110), (1e3, 1e3, 1e3))
        depth = chest.cavity
        ring = np.abs(depth - self.muscle_mm / 2) < 5
        x, y, z, depth = (values[ring] for values in (chest.x, chest.y, chest.z, depth))
        around = np.arctan2(np.abs(x) / self.half_width_mm, -y / self.half_depth_mm) / np.pi
        height = z - self.rib_mm + 150 * around**1.25
        number = np.clip(np.round(height / _RIB_PITCH_MM), 0, len(_RIB_REACH) - 1)
        across = (height - number * _RIB_PITCH_MM) * 0.8
        level = (across / 6.5) ** 2 + ((depth - self.muscle_mm / 2) / 4.2) ** 2
        reached = (around > 0.13) & (around < _RIB_REACH[number.astype(int)])
        tissues = chest.tissues[ring]
        tissues[reached & (level < 1)] = Tissue.CORTICAL_BONE
        tissues[reached & (level < 0.4)] = Tissue.MARROW
        chest.tissues[ring] = tissues

    def paint_pelvis(self, canvas: Canvas) -> None:
        """Paints the iliac wings as curved plates at the back of the wall."""
        low = canvas.crop((-1e3, -1e3, -1e3), (1e3, 1e3, self.crest_mm))
        depth = low.cavity
        ring = np.abs(depth) < 9
        x, y, z, depth = (values[ring] for values in (low.x, low.y, low.z, depth))
        around = np.arctan2(np.abs(x) / self.half_width_mm, -y / self.half_depth_mm) / np.pi
        # The wing leans outwards at its crest and starts beside the sacrum.
        depth = depth - 0.06 * (z - self.crest_mm + 40)
        edge = np.maximum(z - self.crest_mm + 700 * (around - 0.36) ** 2, np.abs(around - 0.36) * 260 - 46)
        level = np.maximum(np.abs(depth) - 5, edge)
        tissues = low.tissues[ring]
        tissues[level < 0] = Tissue.CORTICAL_BONE
        tissues[level < -2] = Tissue.MARROW
        low.tissues[ring] = tissues


def _oval(canvas: Canvas, side_mm: float, front_mm: float, back_mm: float) -> np.ndarray:
    """Returns the level function of an upright tube with a rounded-square section, measured along the radius."""
    z = canvas.z_mm[:, None, None].astype(np.float32)
    girth = (
        1
        - 0.03 * np.exp(-(((z + 45) / 45) ** 2))
        + 0.03 * np.exp(-(((z + 150) / 45) ** 2))
        - 0.03 * (z > 60) * ((z - 60) / 60) ** 2
    )
    x, y = canvas.x / girth, canvas.y - np.float32((front_mm - back_mm) / 2)
    across, along = (x / np.float32(side_mm)) ** 2, (y / np.float32((front_mm + back_mm) / 2)) ** 2
    total = np.maximum(across + along, np.float32(1e-6))
    scale = np.sqrt(total) * (1 - np.float32(4 * _SQUARENESS) * across * along / (total * total))
    return np.sqrt(x * x + y * y) * (1 - 1 / scale)
