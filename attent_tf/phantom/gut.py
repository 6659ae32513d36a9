"""Oesophagus, stomach, pancreas, small bowel and colon."""

import dataclasses

import numpy as np

from attent_tf.phantom.canvas import Canvas, around_spheres, curve, paint_tube, tube
from attent_tf.phantom.fields import SmoothField
from attent_tf.phantom.spine import Spine
from attent_tf.phantom.tissues import Tissue
from attent_tf.phantom.torso import Torso

# Loops of small bowel that are filled with fluid, collapsed, and filled with gas; how alike subjects are in it.
_BOWEL_SHARES, _BOWEL_ALIKE = (0.58, 0.27, 0.15), 6.0


@dataclasses.dataclass(frozen=True)
class Gut:
    """The alimentary canal as chains of spheres (x, y, z, radius) [n, 4] in millimetres.

    Attributes:
      stomach_gas_mm, bowel_gas_mm: y above (in front of) which gas collects, the patient lying on the back.
      loops: short stretches of small bowel, painted one over the other.
      contents: for each loop, what fills it.
      outline: irregularity of the walls in millimetres.
    """

    oesophagus: np.ndarray
    stomach: np.ndarray
    stomach_gas_mm: float
    duodenum: np.ndarray
    pancreas: np.ndarray
    colon: tuple[np.ndarray, ...]
    colon_gas_mm: tuple[float, ...]
    loops: tuple[np.ndarray, ...]
    contents: tuple[Tissue, ...]
    vessels: tuple[np.ndarray, ...]
    outline: SmoothField

    @classmethod
    def draw(cls, rng: np.random.Generator, torso: Torso, spine: Spine) -> "Gut":
        width, depth, top = torso.half_width_mm, torso.half_depth_mm, torso.left_dome_mm
        full = rng.uniform(0.75, 1.15)
        stomach = curve(
            [
                (-0.46 * width, -0.15 * depth, top - 38, 36 * full),
                (-0.50 * width, 0.25 * depth, top - 72, 30 * full),
                (-0.36 * width, 0.50 * depth, top - 104, 24 * full),
                (-0.08 * width, 0.55 * depth, top - 116, 17 * full),
                (0.14 * width, 0.40 * depth, top - 106, 11),
            ],
            0.25,
        )
        oesophagus = curve(
            [
                (-4, spine.front_mm + 18, 220, 8),
                (-8, spine.front_mm + 22, torso.dome_mm, 8),
                (-0.22 * width, -0.05 * depth, top - 34, 8),
            ]
        )
        duodenum = curve(
            [
                (0.14 * width, 0.40 * depth, top - 106, 11),
                (0.27 * width, 0.15 * depth, top - 104, 11),
                (0.28 * width, 0.0, top - 140, 11.5),
                (0.12 * width, 0.08 * depth, top - 158, 11),
                (-0.12 * width, 0.12 * depth, top - 150, 10),
            ]
        )
        pancreas = curve(
            [
                (0.19 * width, 0.10 * depth, top - 118, 13),
                (0.13 * width, 0.16 * depth, top - 100, 14),
                (0.0, 0.22 * depth, top - 86, 8.5),
                (-0.2 * width, 0.12 * depth, top - 74, 9.5),
                (-0.5 * width, -0.22 * depth, top - 58, 8),
            ],
            0.3,
        )
        loops = _small_bowel(rng, torso)
        kinds = (Tissue.BOWEL_FLUID, Tissue.BOWEL_WALL, Tissue.BOWEL_GAS)
        shares = rng.dirichlet(_BOWEL_ALIKE * np.array(_BOWEL_SHARES))
        root = np.array([-3.0, spine.front_mm + 34, 0.0])
        ends = [loop[len(loop) // 2, :3] for loop in loops[::2]]
        return cls(
            oesophagus,
            stomach,
            rng.uniform(0.45, 0.72) * depth,
            duodenum,
            pancreas,
            *_colon(rng, torso),
            loops,
            tuple(kinds[k] for k in rng.choice(3, len(loops), p=shares)),
            tuple(
                curve([(*root, 3.5), (*((root + end) / 2 + rng.normal(0, 8, 3)), 2.4), (*end, 1.6)], 0.8)
                for end in ends
            ),
            SmoothField(rng, 20, 1.6),
        )

    def paint(self, canvas: Canvas) -> None:
        """Paints everything but leaves what belongs in front of it (liver, spleen, kidneys) to later layers."""
        for vessel in self.vessels:
            paint_tube(canvas, vessel, Tissue.OTHER_VESSEL, only=Tissue.VISCERAL_FAT)
        for loop, content in zip(self.loops, self.contents, strict=True):
            gas_mm = np.median(loop[:, 1]) if content == Tissue.BOWEL_GAS else np.inf
            filling = Tissue.BOWEL_FLUID if content == Tissue.BOWEL_GAS else content
            self._paint_hollow(canvas, loop, 2.4, Tissue.BOWEL_WALL, filling, Tissue.BOWEL_GAS, gas_mm)
        for stretch, gas_mm in zip(self.colon, self.colon_gas_mm, strict=True):
            self._paint_hollow(canvas, stretch, 2.6, Tissue.BOWEL_WALL, Tissue.STOOL, Tissue.BOWEL_GAS, gas_mm)
        self._paint_hollow(canvas, self.duodenum, 2.6, Tissue.BOWEL_WALL, Tissue.BOWEL_FLUID, Tissue.BOWEL_GAS, np.inf)
        part = around_spheres(canvas, self.pancreas)
        lobules = tube(part, self.pancreas) + part.sample(self.outline)
        part.fill((lobules < 2.5) & (part.tissues != Tissue.MUSCLE), Tissue.VISCERAL_FAT)
        part.fill(lobules < 0, Tissue.PANCREAS)
        self._paint_hollow(
            canvas,
            self.stomach,
            4.5,
            Tissue.STOMACH_WALL,
            Tissue.STOMACH_FLUID,
            Tissue.STOMACH_GAS,
            self.stomach_gas_mm,
        )

    def paint_oesophagus(self, canvas: Canvas) -> None:
        part = around_spheres(canvas, self.oesophagus, 2.0)
        part.fill(
            (tube(part, self.oesophagus, 2.0) < 0)
            & ~np.isin(part.tissues, (Tissue.STOMACH_FLUID, Tissue.STOMACH_GAS, Tissue.STOMACH_WALL, Tissue.LIVER)),
            Tissue.OESOPHAGUS,
        )

    def _paint_hollow(
        self,
        canvas: Canvas,
        spheres: np.ndarray,
        wall_mm: float,
        wall: Tissue,
        filling: Tissue,
        gas: Tissue,
        gas_mm: float,
    ) -> None:
        part = around_spheres(canvas, spheres)
        if part.is_empty:
            return
        level = np.maximum(tube(part, spheres) + part.sample(self.outline), part.abdomen - 1.5)
        free = (part.tissues != Tissue.MUSCLE) & (part.tissues != Tissue.LUNG) & (part.tissues != Tissue.OUTSIDE)
        part.fill((level < 1.5) & free, Tissue.VISCERAL_FAT)
        part.fill(level < 0, wall)
        part.fill(level < -wall_mm, filling)
        part.fill((level < -wall_mm) & (part.y > gas_mm), gas)


def _small_bowel(rng: np.random.Generator, torso: Torso) -> tuple[np.ndarray, ...]:
    """Returns stretches of a random walk that stays in the middle of the lower abdomen."""
    centre = np.array([0.0, 0.24 * torso.half_depth_mm, -108.0])
    radii = np.array([0.66 * torso.half_width_mm, 0.52 * torso.half_depth_mm, 86.0])
    place = centre + radii * rng.uniform(-0.5, 0.5, 3)
    points, heading = [place], rng.normal(size=3)
    for _ in range(120):
        for _ in range(20):
            turn = heading / np.linalg.norm(heading) + rng.normal(0, 0.9, 3)
            step = 24 * turn / np.linalg.norm(turn)
            if np.linalg.norm((place + step - centre) / radii) < 1:
                break
        else:
            step = 0.3 * (centre - place)
        heading, place = step, place + step
        points.append(place)
    radius = rng.uniform(10, 14, len(points))
    chain = np.column_stack([np.array(points), radius])
    return tuple(curve(chain[first : first + 3]) for first in range(0, len(chain) - 2, 2))


def _colon(rng: np.random.Generator, torso: Torso) -> tuple[tuple[np.ndarray, ...], tuple[float, ...]]:
    """Returns ascending, transverse and descending colon with haustra, and the gas level (y, mm) of each."""
    width, depth = torso.half_width_mm, torso.half_depth_mm
    calibre = rng.uniform(16, 21)
    courses = (
        [(0.62, -0.1, -185, 1.15), (0.72, -0.2, -110, 1.1), (0.72, -0.12, -70, 1.0)],
        [
            (0.72, -0.05, -66, 1.0),
            (0.45, 0.6, -70, 0.95),
            (0.0, 0.7, -82, 0.9),
            (-0.45, 0.62, -58, 0.9),
            (-0.76, 0.05, -10, 0.85),
        ],
        [(-0.77, -0.05, -8, 0.85), (-0.78, -0.3, -60, 0.7), (-0.74, -0.3, -120, 0.65), (-0.6, -0.1, -185, 0.65)],
    )
    chains, levels = [], []
    for course in courses:
        points = [
            (x * width + rng.normal(0, 3), y * depth + rng.normal(0, 3), z + rng.normal(0, 4), r * calibre)
            for x, y, z, r in course
        ]
        chain = curve(points, 0.22)
        travelled = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(chain[:, :3], axis=0), axis=1))])
        chain[:, 3] *= 1 + 0.13 * np.cos(travelled * (2 * np.pi / 24) + rng.uniform(0, 6))
        chains.append(chain)
        levels.append(float(np.median(chain[:, 1]) + rng.uniform(-0.4, 0.9) * calibre))
    return tuple(chains), tuple(levels)
