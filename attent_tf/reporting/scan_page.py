"""A page for one scan and its label map: one HTML file to look through, with nothing to install; and the index of a folder.

The viewer is the report's. It shows the scan's own slices: a WebP for each window and slice, so that pixels need not be read back
to change the window, and the label map to the last voxel.
"""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from attent_tf import files
from attent_tf.errors import InputError
from attent_tf.reporting.layers import QUALITIES, SAMPLED_SLICES, labels_text, picture_text, widened
from attent_tf.reporting.page import rendered
from attent_tf.reporting.pictures import body_box
from attent_tf.reporting.scan_windows import Window, windows_of
from attent_tf.reporting.viewer import Viewer, json_text
from attent_tf.tasks import Task
from attent_tf.volumes import Volume
from attent_tf.volumes.orientation import canonical_view, to_canonical

# Pictures and label map together; mail and browsers still take such a page.
PAGE_BYTES = 20_000_000

# By how much pictures are made smaller along rows and columns; the last always does.
_REDUCTIONS = (1, 2, 4, 8)


@dataclasses.dataclass(frozen=True)
class IndexedScan:
    """A line of the index page.

    Attributes:
      name: the name of the scan.
      page: file name of its page.
      volumes_ml: structure -> millilitres.
      warnings: number of its warnings.
    """

    name: str
    page: str
    volumes_ml: Mapping[str, float]
    warnings: int


@dataclasses.dataclass(frozen=True)
class _Pictures:
    """The slices of a scan, cut to the body, and how they become text.

    Attributes:
      voxels: [slice, row, column] raw values, a canonical view.
      windows: in which they are shown.
      labels: text of the label map.
    """

    voxels: np.ndarray
    windows: tuple[Window, ...]
    labels: str

    def texts(self, window: Window, quality: int, reduction: int, places: Sequence[int]) -> list[str]:
        """Returns base64 of a WebP for each of the slices at `places`."""

        def text(place: int) -> str:
            grey = window.grey(self.voxels[place])
            return picture_text(np.asarray(Image.fromarray(grey).reduce(reduction)), False, quality)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(text, places))

    def fitted(self, budget: int) -> tuple[int, int]:
        """Returns the quality, and by how much pictures are made smaller, so that all keep to about `budget` bytes."""
        count = len(self.voxels)
        places = sorted({round(place) for place in np.linspace(0, count - 1, min(SAMPLED_SLICES, count))})
        for reduction in _REDUCTIONS:
            for quality in QUALITIES:
                texts = [text for window in self.windows for text in self.texts(window, quality, reduction, places)]
                if sum(map(len, texts)) * count // len(places) + len(self.labels) <= budget:
                    return quality, reduction
        return QUALITIES[-1], _REDUCTIONS[-1]


def write_scan_page(
    path: str | os.PathLike,
    volume: Volume,
    labels: np.ndarray,
    task: Task,
    title: str,
    made_by: str,
    volumes_ml: Mapping[str, float],
    warnings: Sequence[str] = (),
    page_bytes: int = PAGE_BYTES,
) -> None:
    """Writes one HTML file that shows a scan and its label map, completely or not at all.

    Of the scan it holds its slices, its spacing and nothing else that its file says, so no name, date or identifier.

    Args:
      path: the file to write.
      volume: the scan, in any orientation.
      labels: [i, j, k] uint8 class indices on its voxels.
      task: whose classes they are.
      title: the heading.
      made_by: what made the label map, for people.
      volumes_ml: structure -> millilitres.
      warnings: lines that the reader has to see first.
      page_bytes: about how large the page may be. Quality and, where that is not enough, size of the pictures follow from it;
        the label map is always whole.

    Raises:
      InputError: scan and label map differ in shape.
    """
    if labels.shape != volume.shape:
        raise InputError(
            volume.where, f"voxels {labels.shape} as in the label map", f"{volume.shape}", "leave the scan as it is"
        )
    canonical = to_canonical(volume)
    shown = canonical_view(labels, volume.affine)
    windows = windows_of(volume)
    # What the first window shows of the body in any slice, and every structure, be it in the air.
    rows, columns = body_box(windows[0].grey(canonical.voxels.max(axis=0))[None])
    labelled = (shown > 0).any(axis=0)
    if labelled.any():
        rows, columns = widened(rows, labelled.any(axis=1)), widened(columns, labelled.any(axis=0))
    box = (slice(None), rows, columns)
    pictures = _Pictures(canonical.voxels[box], windows, labels_text(shown[box]))
    quality, reduction = pictures.fitted(page_bytes)
    every = range(len(shown))
    texts = [pictures.texts(window, quality, reduction, every) for window in windows]
    slice_mm, row_mm, column_mm = canonical.spacing_mm
    count, height, width = shown[box].shape
    case = {"name": title, "slices": count, "rows": height, "columns": width}
    index = {
        "structures": [{"title": structure.title, "colour": structure.colour} for structure in task.structures],
        "methods": [made_by],
        "cases": [{**case, "pixelRatio": row_mm / column_mm, "columnMm": column_mm}],
    }
    layers = {"windows": texts, "methods": [{"prediction": pictures.labels}]}
    viewer = Viewer("scan", json_text(index), (json_text(layers),), (title,), ((made_by,), 0), ())
    page = rendered(
        "scan.html.j2",
        ("painting.js", "viewer.js", "scan.js"),
        title=title,
        made_by=made_by,
        warnings=[("", line) for line in warnings],
        viewer=viewer,
        windows=[window.title for window in windows],
        structures=[(structure, volumes_ml[structure.name]) for structure in task.structures],
        voxels=" × ".join(str(size) for size in canonical.shape),
        spacing=" × ".join(f"{step:.2f}" for step in (slice_mm, row_mm, column_mm)),
        reduction=reduction,
    )
    files.write_text(path, page)


def write_scan_index(
    path: str | os.PathLike, task: Task, title: str, scans: Sequence[IndexedScan], failed: Sequence[str]
) -> None:
    """Writes the page that leads to the pages of a folder of scans, completely or not at all.

    Args:
      path: the file to write, in the folder of the pages.
      task: the task of the structures.
      title: the heading.
      scans: those that have a page.
      failed: names of the scans that have none.
    """
    page = rendered("scans.html.j2", (), title=title, structures=task.structures, scans=scans, failed=failed)
    files.write_text(Path(path), page)
