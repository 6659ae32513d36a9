"""Contact sheets of preprocessed cases: what a record shows, whether labels lie where they should, which side is which."""

import dataclasses
import io
import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from attent_tf.counting import counted
from attent_tf.reporting.page import rendered
from attent_tf.reporting.pictures import body_box, overlay_picture
from attent_tf.tasks import Structure, Task

_SLICES = 11
_COLUMNS = 4
_TILE_WIDTH = 320
_GAP = 8
_BAR = 34
_SWATCH, _ROW = 14, 24
_LEGEND_SHARE = 0.7
_LEAST_HEIGHT = 120  # of a picture with letters on its four sides
# A structure, what stands of it, and whether it is there.
LegendEntry = tuple[Structure, str, bool]
_PAGE, _INK, _INK_SOFT = (16, 18, 22), (228, 232, 236), (150, 158, 166)


@dataclasses.dataclass(frozen=True)
class PreviewEntry:
    """A line of the page of previews.

    Attributes:
      case, domain, split: as in the manifest.
      sheet: file name of its contact sheet.
      slices: number of its records.
      slice_count: number of its prepared slices.
    """

    case: str
    domain: str
    split: str
    sheet: str
    slices: int
    slice_count: int


def draw_contact_sheet(
    task: Task,
    images: np.ndarray,
    labels: np.ndarray | None,
    title: str,
    spacing_mm: tuple[float, float, float],
    volumes_ml: Mapping[str, float] | None = None,
    voxel_ml: float | None = None,
) -> bytes:
    """Draws slices of a case from feet to head, then one coronal cut, with labels outlined, sides named and volumes.

    Args:
      task: whose classes the labels are.
      images: [slice, row, column] in [−1, 1], canonical: slices upwards, rows to the back, columns to the patient's left.
      labels: [slice, row, column] class indices, or None.
      title: stands above the pictures.
      spacing_mm: (slice, row, column) distances.
      volumes_ml: the volume of each structure, where they were measured on finer voxels than these; slices are then chosen
      where they lie.
      voxel_ml: millilitres in a pixel of a slice, where the axes are not perpendicular.

    Returns:
      A PNG.
    """
    grey = np.rint((np.clip(images, -1, 1) + 1) * 127.5).astype(np.uint8)
    slice_mm, row_mm, column_mm = spacing_mm
    colours = list(task.colours.values())
    rows, columns = body_box(grey)
    first, last = (0, len(grey) - 1) if volumes_ml is None else _extent(labels)
    chosen = sorted({round(place) for place in np.linspace(first, last, min(_SLICES, last - first + 1))})
    tiles = []
    for index in chosen:
        part = None if labels is None else labels[index, rows, columns]
        tile = _tile(grey[index, rows, columns], part, colours, (row_mm, column_mm))
        tiles.append((tile, f"{index + 1}/{len(grey)}", ("A", "P", "R", "L")))
    # Seen from the front, so feet are below: a slice out of order shows as a step.
    row = _coronal_row(labels, grey)
    part = None if labels is None else labels[::-1, row, columns]
    coronal = _tile(grey[::-1, row, columns], part, colours, (slice_mm, column_mm))
    tiles.append((coronal, "coronal", ("S", "I", "R", "L")))
    legend = []
    if labels is not None:
        legend = _legend(task, labels, voxel_ml or float(np.prod(spacing_mm)) / 1000.0, volumes_ml)
    return _png(_laid_out(tiles, title, legend))


def preview_page(task: Task, entries: Sequence[PreviewEntry], rejected: Sequence[tuple[str, str]]) -> str:
    """Returns the HTML page that shows all contact sheets.

    Args:
      task: the task of the records.
      entries: the cases, in the order of the manifest.
      rejected: identifier and reason of each case that was set aside.
    """
    groups = []
    for domain in sorted(task.domains, key=lambda domain: domain.name):
        members = [entry for entry in entries if entry.domain == domain.name]
        if members:
            groups.append((domain, members))
    return rendered("previews.html.j2", groups=groups, rejected=list(rejected), counted=counted)


def _tile(
    image: np.ndarray, labels: np.ndarray | None, colours: Sequence[str], spacing_mm: tuple[float, float]
) -> Image.Image:
    nothing = np.zeros(image.shape, np.uint8)
    picture = overlay_picture(image, nothing if labels is None else labels, colours, spacing_mm)
    height = max(1, round(picture.height * _TILE_WIDTH / picture.width))
    picture = picture.resize((_TILE_WIDTH, height), Image.Resampling.LANCZOS)
    if height >= _LEAST_HEIGHT:
        return picture
    # The coronal cut of few slices: letters stand beside it, not on it.
    padded = Image.new("RGB", (_TILE_WIDTH, _LEAST_HEIGHT))
    padded.paste(picture, (0, (_LEAST_HEIGHT - height) // 2))
    return padded


def _extent(labels: np.ndarray) -> tuple[int, int]:
    """The first and the last slice with a structure and the one beyond each; all slices where none is there."""
    present = np.flatnonzero(labels.any(axis=(1, 2)))
    last = len(labels) - 1
    return (max(0, int(present[0]) - 1), min(last, int(present[-1]) + 1)) if present.size else (0, last)


def _legend(task: Task, labels, voxel_ml: float, volumes_ml: Mapping[str, float] | None) -> list[LegendEntry]:
    """Returns an entry for each structure; one that is missing must catch the eye as well."""
    if volumes_ml is None:
        counts = np.bincount(labels.ravel(), minlength=task.num_classes)[1:]
        volumes_ml = {name: count * voxel_ml for name, count in zip(task.structure_names, counts, strict=True)}
    legend = []
    for structure in task.structures:
        volume = volumes_ml[structure.name]
        amount = f"{volume:.0f} ml" if volume else "none"
        legend.append((structure, f"{structure.title} {amount}", bool(volume)))
    return legend


def _coronal_row(labels: np.ndarray | None, grey: np.ndarray) -> int:
    """The row of the largest cut through structures, or through the body."""
    shown = (labels > 0) if labels is not None and labels.any() else grey > 64
    return int(shown.sum(axis=(0, 2)).argmax())


def _laid_out(tiles, title: str, legend: list[LegendEntry]) -> Image.Image:
    lines = [tiles[start : start + _COLUMNS] for start in range(0, len(tiles), _COLUMNS)]
    heights = [max(tile.height for tile, _, _ in line) for line in lines]
    width = _COLUMNS * (_TILE_WIDTH + _GAP) + _GAP
    font, small, words = _font(18), ImageFont.load_default(size=15), _font(14)
    sizes = [_SWATCH + _GAP + math.ceil(words.getlength(text)) + 2 * _GAP for _, text, _ in legend]
    # A short legend stands beside the title, a long one in rows below it.
    beside = sum(sizes) <= _LEGEND_SHARE * width
    rows = [] if beside else _rows(sizes, width - _GAP)
    head = _BAR + _ROW * len(rows)
    sheet = Image.new("RGB", (width, head + sum(heights) + _GAP * (len(lines) + 1)), _PAGE)
    draw = ImageDraw.Draw(sheet)
    if beside:
        _draw_legend(draw, words, width - sum(sizes), _BAR / 2, legend, sizes)
    for place, part in enumerate(rows):
        _draw_legend(draw, words, _GAP, _BAR + (place + 0.5) * _ROW - 4, legend[part], sizes[part])
    room = width - 2 * _GAP - (sum(sizes) + 2 * _GAP if beside else 0)
    draw.text((_GAP, _BAR / 2), _shortened(title, room, draw, font), _INK, font, anchor="lm")
    top = head + _GAP
    for line, height in zip(lines, heights, strict=True):
        for place, (tile, caption, sides) in enumerate(line):
            left = _GAP + place * (_TILE_WIDTH + _GAP)
            sheet.paste(tile, (left, top))
            _name_sides(draw, small, (left, top, left + tile.width, top + tile.height), sides)
            draw.text((left + 5, top + 3), caption, _INK, small, stroke_width=2, stroke_fill=_PAGE)
        top += height + _GAP
    return sheet


def _rows(sizes: Sequence[int], width: int) -> list[slice]:
    """Which entries of a legend stand in each row of that many pixels."""
    starts, used = [0], 0
    for place, size in enumerate(sizes):
        if used + size > width and used:
            starts.append(place)
            used = 0
        used += size
    return [slice(start, stop) for start, stop in itertools.pairwise([*starts, len(sizes)])]


def _draw_legend(draw, font, left: float, middle: float, legend: Sequence[LegendEntry], sizes: Sequence[int]) -> None:
    half = _SWATCH / 2
    for (structure, text, present), size in zip(legend, sizes, strict=True):
        fill = structure.colour if present else None
        draw.rectangle((left, middle - half, left + _SWATCH, middle + half), fill, structure.colour)
        draw.text((left + _SWATCH + _GAP, middle), text, _INK if present else _INK_SOFT, font, anchor="lm")
        left += size


def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib: that of Pillow has no letters but those of English."""
    import matplotlib

    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def _shortened(title: str, width: float, draw, font) -> str:
    """The title, cut where it would run into the legend."""
    title = " ".join(title.split())
    if draw.textlength(title, font) <= width:
        return title
    while title and draw.textlength(title + "…", font) > width:
        title = title[:-1]
    return title + "…"


def _name_sides(draw, font, box, sides) -> None:
    left, top, right, bottom = box
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    above, below, left_side, right_side = sides
    for letter, place, anchor in (
        (above, (middle_x, top + 3), "ma"),
        (below, (middle_x, bottom - 3), "md"),
        (left_side, (left + 5, middle_y), "lm"),
        (right_side, (right - 5, middle_y), "rm"),
    ):
        draw.text(place, letter, _INK, font, anchor=anchor, stroke_width=2, stroke_fill=_PAGE)


def _png(picture: Image.Image) -> bytes:
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=True)
    return content.getvalue()
