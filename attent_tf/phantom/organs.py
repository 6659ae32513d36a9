"""The labelled organs: liver with gallbladder, spleen and kidneys.

Every organ has a level function with a free `growth_mm`; `grown_to` chooses it so that the organ has the volume drawn
for the subject, whatever its neighbours and the wall cut away.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from attent_tf.phantom.canvas import Canvas, around_spheres, curve, ellipsoid, paint_tube, rotation, smooth_max, tube
from attent_tf.phantom.fields import SmoothField
from attent_tf.phantom.spine import Spine
from attent_tf.phantom.tissues import Tissue
from attent_tf.phantom.torso import Torso

_GAP_MM = 2.5
PERIRENAL_FAT_MM = 4.0


@dataclasses.dataclass(frozen=True)
class Kidney:
    """One kidney: bean, cortex, pyramids, sinus.

    Attributes:
      side: 1 for the right, −1 for the left.
      centre_mm: (x, y, z).
      radii_mm: half-lengths along the kidney's own axes (x across, y front to back, z pole to pole).
      axes: [3, 3] rows are the own axes.
      cortex_mm: thickness of the cortex.
      growth_mm: how far the surface lies outside the ellipsoid.
      outline: irregularity of the surface in millimetres.
    """

    side: int
    centre_mm: tuple[float, float, float]
    radii_mm: tuple[float, float, float]
    axes: np.ndarray
    cortex_mm: float
    outline: SmoothField
    growth_mm: float = 0.0

    @classmethod
    def draw(cls, rng: np.random.Generator, spine: Spine, side: int, height_mm: float) -> "Kidney":
        radii = np.array([26, 24, 54]) * rng.uniform(0.95, 1.05, 3)
        # Upper poles lean towards the spine and to the back; the hilum looks to the midline and the front.
        lean, tilt, turn = np.radians([rng.uniform(8, 18), rng.uniform(4, 12), rng.uniform(20, 38)])
        long = np.array([-side * np.tan(lean), -np.tan(tilt), 1.0])
        long /= np.linalg.norm(long)
        hilum = np.array([-side * np.cos(turn), np.sin(turn), 0.0])
        hilum -= (hilum @ long) * long
        outwards = -side * hilum / np.linalg.norm(hilum)
        axes = np.stack([outwards, np.cross(long, outwards), long])
        centre = (side * rng.uniform(64, 71), spine.depth_mm - rng.uniform(4, 12), height_mm)
        return cls(side, centre, tuple(radii), axes, rng.uniform(6, 7.5), SmoothField(rng, 22, 1.3))

    def region(self, canvas: Canvas) -> Canvas:
        return canvas.around(self.centre_mm, max(self.radii_mm) + 16)

    def _hilum_mm(self) -> np.ndarray:
        inwards = np.array([-self.side * (self.radii_mm[0] + 2), 3.0, 0.0])
        return np.asarray(self.centre_mm) + inwards @ self.axes

    def level(self, canvas: Canvas) -> np.ndarray:
        """Returns the level function of parenchyma and sinus; the hilum is a notch."""
        bean = ellipsoid(canvas, self.centre_mm, self.radii_mm, self.axes) + canvas.sample(self.outline)
        notch = ellipsoid(canvas, self._hilum_mm(), (17, 12, 17), self.axes)
        bean = smooth_max(bean - self.growth_mm, 2 - notch, 6.0)
        return smooth_max(bean, canvas.cavity + _GAP_MM, 4.0)

    def paint(self, canvas: Canvas) -> None:
        part = self.region(canvas)
        if part.is_empty:
            return
        wall = part.cavity
        level = self.level(part)
        fat = (level < PERIRENAL_FAT_MM) & (part.tissues != Tissue.LUNG) & (wall < 0)
        sinus = ellipsoid(part, self._hilum_mm(), (30, 13, 24), self.axes)
        part.fill(fat, Tissue.VISCERAL_FAT)
        cortex, medulla = (
            (Tissue.RIGHT_CORTEX, Tissue.RIGHT_MEDULLA) if self.side > 0 else (Tissue.LEFT_CORTEX, Tissue.LEFT_MEDULLA)
        )
        part.fill(level < 0, cortex)
        # Pyramids point at the sinus, and columns of cortex run between them.
        offset = [c - m for c, m in zip((part.x, part.y, part.z), self.centre_mm, strict=True)]
        along = sum(np.float32(w) * o for w, o in zip(self.axes[2], offset, strict=True))
        columns = 2.6 * np.cos(along * (2 * np.pi / 17))
        part.fill((level < -self.cortex_mm + np.minimum(columns, 1.0)) & (sinus > 0.5), medulla)
        part.fill((level < 3) & (sinus < 0), Tissue.VISCERAL_FAT)
        self._paint_pelvis(part)

    def _paint_pelvis(self, part: Canvas) -> None:
        hilum, centre = self._hilum_mm(), np.asarray(self.centre_mm)
        pelvis = curve([(*(centre + 0.15 * (hilum - centre)), 4.0), (*(hilum + 0.35 * (hilum - centre)), 5.0)])
        calices = [
            curve([(*(centre + 0.5 * (hilum - centre)), 3.0), (*(centre + along * self.axes[2]), 3.4)])
            for along in (-17.0, 17.0)
        ]
        ureter_start = hilum + 0.35 * (hilum - centre)
        ureter = curve([(*ureter_start, 4.0), (*(ureter_start + np.array([-self.side * 4, 0, -16])), 2.4)])
        for spheres in (pelvis, *calices, ureter):
            paint_tube(part, spheres, Tissue.RENAL_PELVIS)


@dataclasses.dataclass(frozen=True)
class Spleen:
    """A crescent between the left diaphragm, the stomach and the left kidney."""

    centre_mm: tuple[float, float, float]
    radii_mm: tuple[float, float, float]
    axes: np.ndarray
    outline: SmoothField
    growth_mm: float = 0.0

    @classmethod
    def draw(cls, rng: np.random.Generator, torso: Torso) -> "Spleen":
        centre = (
            -0.70 * torso.half_width_mm,
            -0.40 * torso.half_depth_mm + rng.uniform(-6, 6),
            torso.left_dome_mm - rng.uniform(50, 60),
        )
        radii = tuple(np.array([27, 44, 50]) * rng.uniform(0.92, 1.08, 3))
        axes = rotation("x", rng.uniform(10, 30)) @ rotation("z", rng.uniform(10, 28))
        return cls(centre, radii, axes, SmoothField(rng, 26, 2.2))

    def region(self, canvas: Canvas) -> Canvas:
        return canvas.around(self.centre_mm, max(self.radii_mm) + 22)

    def level(self, canvas: Canvas) -> np.ndarray:
        """Returns the level function, hollow towards the stomach and within the space under the diaphragm."""
        oval = ellipsoid(canvas, self.centre_mm, self.radii_mm, self.axes) + canvas.sample(self.outline)
        x, y, z = self.centre_mm
        hollow = ellipsoid(canvas, (x + 48, y + 22, z + 4), (37, 52, 70))
        crescent = smooth_max(oval - self.growth_mm, -hollow - 0.5 * self.growth_mm, 6.0)
        return smooth_max(crescent, canvas.abdomen, 4.0)

    def paint(self, canvas: Canvas) -> None:
        part = self.region(canvas)
        if part.is_empty:
            return
        level = self.level(part)
        _fill_with_gap(part, level, Tissue.SPLEEN)


@dataclasses.dataclass(frozen=True)
class Liver:
    """The liver fills the right dome; its lower surface falls to the right and rises to the left and the back.

    Attributes:
      base_mm: height z of the lower surface below the origin, before growth.
      fall, rise_back: slopes of the lower surface towards the right and the back.
      tip_mm: x of the tip of the left lobe.
      porta_mm: (x, y, z) of the porta hepatis.
      cleft_mm: x of the fissure between the lobes.
      outline: irregularity of the lower surface in millimetres.
      vessels: chains of spheres [n, 4]; they are painted within the liver only.
      gallbladder: chain of spheres [n, 4].
    """

    base_mm: float
    fall: float
    rise_back: float
    tip_mm: float
    cleft_mm: float
    outline: SmoothField
    growth_mm: float = 0.0
    vessels: tuple[np.ndarray, ...] = ()
    portal: tuple[np.ndarray, ...] = ()
    gallbladder: np.ndarray | None = None

    @classmethod
    def draw(cls, rng: np.random.Generator, torso: Torso) -> "Liver":
        return cls(
            base_mm=24.0,
            fall=rng.uniform(0.62, 0.85),
            rise_back=rng.uniform(0.1, 0.3),
            tip_mm=-rng.uniform(0.42, 0.75) * torso.half_width_mm,
            cleft_mm=rng.uniform(2, 12),
            outline=SmoothField(rng, 34, 4.5),
        )

    def region(self, canvas: Canvas) -> Canvas:
        return canvas.crop((self.tip_mm - 15, -1e3, -110), (1e3, 1e3, 1e3))

    def lower_surface_mm(self, x_mm: np.ndarray | float, y_mm: np.ndarray | float) -> np.ndarray | float:
        """Returns the height z of the lower surface."""
        return self.base_mm - self.fall * (x_mm - 30) - self.rise_back * y_mm - 1.2 * self.growth_mm

    def level(self, canvas: Canvas) -> np.ndarray:
        """Returns the level function: under the dome, above the lower surface, and on the left only in front."""
        x, y, z = canvas.x, canvas.y, canvas.z
        noise = canvas.sample(self.outline)
        below = (self.lower_surface_mm(x, y) - z) * np.float32(1 / np.sqrt(1 + self.fall**2 + self.rise_back**2))
        # Left of the vena cava only the front is liver.
        slope = np.where(x > 20, np.float32(1.25), np.float32(0.35))
        behind = 10 - slope * np.minimum(x - 20, 75) - y
        behind = behind * 0.62 - 0.2 * self.growth_mm
        left = (np.float32(self.tip_mm) - x) * np.float32(0.8) - 0.25 * self.growth_mm
        cleft = ellipsoid(canvas, (self.cleft_mm, 52, 15), (3.5, 48, 34))
        level = smooth_max(below + noise, behind + 0.7 * noise, 14.0)
        level = smooth_max(level, left + noise, 24.0)
        level = smooth_max(level, canvas.abdomen, 14.0)
        return smooth_max(level, -cleft, 3.0)

    def furnished(self, rng: np.random.Generator, torso: Torso, confluence_mm: tuple[float, float, float]) -> "Liver":
        """Returns the liver with hepatic and portal veins and a gallbladder that fit its lower surface."""
        width, depth, dome = torso.half_width_mm, torso.half_depth_mm, torso.dome_mm
        hepatic = []
        for target in (
            (0.72 * width, -0.15 * depth, dome - 85),
            (0.38 * width, 0.45 * depth, dome - 80),
            (-0.15 * width, 0.4 * depth, dome - 42),
        ):
            hepatic += _tree(rng, confluence_mm, target, rng.uniform(4.5, 6), 4)
        porta = np.array([34.0, 2.0, self.lower_surface_mm(34.0, 2.0) + 4])
        trunk = curve([(-4, -4, -2, 6.0), (8, 6, 0.5 * porta[2], 6.3), (*porta, 6.0)])
        inner = _tree(rng, porta, (0.55 * width, -0.1 * depth, porta[2] + 18), 5.5, 5)
        inner += _tree(rng, porta, (0.06 * width, 0.5 * depth, porta[2] + 22), 4.5, 4)
        x, y = rng.uniform(38, 52), rng.uniform(26, 40)
        low = self.lower_surface_mm(x, y)
        size = rng.uniform(0.85, 1.2)
        gallbladder = curve(
            [
                (x - 10, y - 24, self.lower_surface_mm(x - 10, y - 24) + 1, 4.5 * size),
                (x - 4, y - 8, low + 3, 9 * size),
                (x, y + 8, low - 3, 13 * size),
                (x + 4, y + 20, low - 12, 13 * size),
            ]
        )
        return dataclasses.replace(self, vessels=(*hepatic, *inner), portal=(trunk,), gallbladder=gallbladder)

    def paint(self, canvas: Canvas) -> None:
        part = self.region(canvas)
        if part.is_empty:
            return
        _fill_with_gap(part, self.level(part), Tissue.LIVER)
        for spheres in (*self.vessels, *self.portal):
            paint_tube(part, spheres, Tissue.LIVER_VESSEL, only=Tissue.LIVER)
        for spheres in self.portal:
            paint_tube(part, spheres, Tissue.PORTAL_VEIN, only=Tissue.VISCERAL_FAT)
            paint_tube(part, spheres, Tissue.PORTAL_VEIN, only=Tissue.PANCREAS)
        part = around_spheres(part, self.gallbladder)
        bag = tube(part, self.gallbladder, 3.0)
        bag = np.maximum(bag, part.abdomen + 1)
        part.fill(bag < 0, Tissue.GALLBLADDER_WALL)
        part.fill(bag < -2.0, Tissue.BILE)


def grown_to(
    volume_ml: float, measure: Callable[[float], float], bounds_mm: tuple[float, float] = (-25.0, 45.0)
) -> float:
    """Returns the growth (mm) at which `measure(growth_mm)`, a rising volume in mL, reaches `volume_ml`."""
    low, high = bounds_mm
    for _ in range(9):
        middle = (low + high) / 2
        if measure(middle) < volume_ml:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _fill_with_gap(part: Canvas, level: np.ndarray, tissue: Tissue) -> None:
    """Paints an organ and a thin layer of fat that parts it from organs painted before."""
    free = (part.tissues != Tissue.LUNG) & (part.tissues != Tissue.MUSCLE) & (part.tissues != Tissue.OUTSIDE)
    part.fill((level < _GAP_MM) & free, Tissue.VISCERAL_FAT)
    part.fill(level < 0, tissue)


def _tree(rng: np.random.Generator, start, end, radius_mm: float, twigs: int) -> list[np.ndarray]:
    """Returns a tapering vessel from `start` to `end` (x, y, z), bowed at random, with `twigs` side branches."""
    start, end = np.asarray(start), np.asarray(end)
    length = float(np.linalg.norm(end - start))
    middle = (start + end) / 2 + rng.normal(0, 0.08 * length, 3)
    main = curve([(*start, radius_mm), (*middle, 0.75 * radius_mm), (*end, 1.8)], 0.6)
    branches = [main]
    for place in np.linspace(0.25, 0.85, twigs):
        *root, calibre = main[int(place * (len(main) - 1))]
        direction = (end - start) / length + rng.normal(0, 0.9, 3)
        direction /= np.linalg.norm(direction)
        tip = np.asarray(root) + direction * length * rng.uniform(0.3, 0.5)
        branches.append(curve([(*root, 0.75 * calibre), (*tip, 1.5)], 0.7))
    return branches
