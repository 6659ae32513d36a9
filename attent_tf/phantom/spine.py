"""The spine and the muscles along it."""

import dataclasses

import numpy as np

from attent_tf.phantom.canvas import Canvas, curve, ellipsoid, paint_tube, smooth_max
from attent_tf.phantom.tissues import Tissue
from attent_tf.phantom.torso import Torso

_PITCH_MM = 33.0
_SACRUM_MM = -125.0


@dataclasses.dataclass(frozen=True)
class Spine:
    """Vertebrae and back muscles.

    Attributes:
      depth_mm: y of the centres of the vertebral bodies at the origin's height.
      disc_mm: height z of the disc below the first lumbar vertebra.
      body_radii_mm: half-width and half-depth of a vertebral body.
      psoas_mm: greatest radius of the psoas muscles.
      back_mm: y of the inner surface of the posterior wall.
    """

    depth_mm: float
    disc_mm: float
    body_radii_mm: tuple[float, float]
    psoas_mm: float
    back_mm: float

    @classmethod
    def draw(cls, rng: np.random.Generator, torso: Torso) -> "Spine":
        return cls(
            depth_mm=-0.46 * torso.half_depth_mm + rng.uniform(-3, 3),
            disc_mm=rng.uniform(-4, 4),
            body_radii_mm=(rng.uniform(20, 23.5), rng.uniform(15, 17.5)),
            psoas_mm=rng.uniform(15, 20),
            back_mm=-torso.half_depth_mm,
        )

    def centre_y_mm(self, z_mm: np.ndarray | float) -> np.ndarray | float:
        """Returns y of the vertebral bodies' centres at height z: hollow in the loin, receding above and below."""
        return self.depth_mm + 4 - 9 * ((np.asarray(z_mm) + 40) / 110) ** 2

    @property
    def front_mm(self) -> float:
        """y of the front of the vertebral bodies at the origin's height."""
        return self.depth_mm + self.body_radii_mm[1]

    def paint_muscles(self, canvas: Canvas) -> None:
        """Paints the erector spinae, quadratus lumborum and psoas of both sides."""
        back = canvas.crop((-100, -1e3, -1e3), (100, self.front_mm + 12, 1e3))
        x, z = np.abs(back.x), back.z
        y = back.y - self.centre_y_mm(z).astype(np.float32)
        erector = np.hypot((x - 31) / 29, (y + 44) / 20) < 1
        quadratus = (np.hypot((x - 68) / 17, (y + 25) / 10) < 1) & (z < 15)
        swell = np.clip((25 - z) / 90, 0, 1) ** 0.7 * self.psoas_mm
        psoas = np.hypot((x - 22 - 0.9 * swell), (y + 3) * 0.85) < swell
        inside = back.tissues != Tissue.OUTSIDE
        back.fill((erector | quadratus | psoas) & inside, Tissue.MUSCLE)

    def paint_bones(self, canvas: Canvas) -> None:
        """Paints vertebral bodies, discs, canal and processes, and the sacrum."""
        column = canvas.crop((-52, -1e3, -1e3), (52, self.front_mm + 14, 1e3))
        x, z = column.x, column.z
        y = column.y - self.centre_y_mm(z).astype(np.float32)
        fraction = (z - self.disc_mm) / _PITCH_MM
        to_disc = np.abs(fraction - np.round(fraction)) * _PITCH_MM
        lumbar = np.clip((40 - z) / 60, 0, 1)

        # Processes: between two discs, most of them in the upper half of the vertebra.
        mid = _PITCH_MM / 2 - to_disc
        arch = np.abs(np.hypot(x / 13, (y + self.body_radii_mm[1] + 9) / 11) - 1) * 11 - 2.6
        spinous = np.maximum(np.abs(x) - 3.2, np.abs(y + self.body_radii_mm[1] + 31) - 15)
        transverse = np.maximum(np.hypot(y + self.body_radii_mm[1] + 8, (mid - 2) * 0.8) - 5, np.abs(x) - 42)
        facet = np.hypot(np.abs(x) - 17, y + self.body_radii_mm[1] + 14) - 6
        processes = np.minimum(
            np.minimum(np.maximum(arch, mid - 12), np.maximum(spinous, mid - 9)), np.minimum(transverse, facet)
        )
        processes[z < _SACRUM_MM + 12] = 9
        column.fill(processes < 0, Tissue.CORTICAL_BONE)
        column.fill(processes < -1.8, Tissue.MARROW)

        width, depth = self.body_radii_mm
        scale = 0.88 + 0.12 * lumbar
        waist = 1 + 0.06 * (to_disc < 11)
        section = (np.hypot(x / (width * scale * waist), y / (depth * scale * waist)) - 1) * depth
        half_disc = 2.5 + 2.5 * lumbar
        body = smooth_max(section, half_disc - to_disc, 3.0)
        column.fill(section < -1, Tissue.DISC)
        column.fill(body < 0, Tissue.CORTICAL_BONE)
        column.fill(body < -1.8, Tissue.MARROW)

        canal = np.hypot(x / 10.5, (y + depth + 9) / 7.5)
        column.fill(canal < 1, Tissue.SPINAL_FLUID)
        column.fill((np.hypot(x, y + depth + 9) < 4.8) & (z > 5), Tissue.SPINAL_CORD)
        self._paint_sacrum(canvas)

    def _paint_sacrum(self, canvas: Canvas) -> None:
        centre = (0.0, float(self.centre_y_mm(_SACRUM_MM)) - 12, _SACRUM_MM - 22)
        part = canvas.around(centre, (58, 34, 34))
        level = ellipsoid(part, centre, (54, 24, 30))
        part.fill(level < 0, Tissue.CORTICAL_BONE)
        part.fill(level < -2, Tissue.MARROW)
        canal = np.hypot(part.x / 12, (part.y - (centre[1] - 8)) / 6)
        part.fill((canal < 1) & (level < 0), Tissue.SPINAL_FLUID)


@dataclasses.dataclass(frozen=True)
class GreatVessels:
    """Aorta (left of the midline) and inferior vena cava (right of it).

    Attributes:
      aorta, cava, iliac: chains of spheres (x, y, z, radius) [n, 4] in millimetres.
    """

    aorta: np.ndarray
    cava: np.ndarray
    iliac: tuple[np.ndarray, ...]

    @classmethod
    def draw(cls, rng: np.random.Generator, torso: Torso, spine: Spine) -> "GreatVessels":
        calibre = rng.uniform(9.5, 12)
        cava = rng.uniform(9.5, 12)
        shift = rng.uniform(-3, 3)
        fork = rng.uniform(-95, -85)

        def front(z_mm: float) -> float:
            return float(spine.centre_y_mm(z_mm)) + spine.body_radii_mm[1]

        aorta = [
            (-16 + shift, front(z) + gap, z, calibre)
            for z, gap in ((220, 6.0), (140, 6.0), (70, calibre), (0, calibre + 3), (fork, calibre + 3))
        ]
        arteries = [
            curve([(-14 + shift, front(fork) + calibre, fork, 0.7 * calibre), (side * 38, -28, -175, 0.6 * calibre)])
            for side in (-1, 1)
        ]
        course = [
            (16 + shift, front(fork) + cava + 2, fork - 8, cava),
            (21 + shift, front(0) + cava + 1, 0, cava),
            (24 + shift, front(0) + cava + 4, 50, cava * 1.05),
            (25 + shift, front(0) + cava + 9, torso.dome_mm - 12, cava * 1.15),
            (18 + shift, front(0) + cava + 16, torso.dome_mm + 22, cava * 1.15),
        ]
        veins = [
            curve([(16 + shift, front(fork) + cava, fork - 6, 0.8 * cava), (side * 38 + 6, -36, -175, 0.7 * cava)])
            for side in (-1, 1)
        ]
        return cls(curve(aorta), curve(course), (*arteries, *veins))

    def hepatic_confluence_mm(self) -> tuple[float, float, float]:
        """Returns (x, y, z) where the hepatic veins meet the vena cava, 16 mm below where it leaves the abdomen."""
        course = self.cava
        return tuple(float(v) for v in course[np.argmin(np.abs(course[:, 2] - (course[-1, 2] - 46)))][:3])

    def paint(self, canvas: Canvas) -> None:
        layers = [(spheres, Tissue.OTHER_VESSEL) for spheres in self.iliac]
        layers += [(self.cava, Tissue.VENA_CAVA), (self.aorta, Tissue.AORTA)]
        for spheres, tissue in layers:
            paint_tube(canvas, spheres, tissue)
