"""Draws the picture at the top of the README from an evaluation that has translations, such as the demo's.

python docs/images/make_overview.py demo/runs/mri2ct/attent/seed-0/evaluation docs/images/overview.png
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from attent_tf.evaluation.folder import read_evaluation
from attent_tf.reporting.pictures import body_box, grey_picture, overlay_picture

_GAP, _TILE_WIDTH = 12, 300


def main(folder: str, out: str) -> None:
    """Shows one slice of the first case: image, translation, prediction, reference."""
    evaluation = read_evaluation(folder)
    case = next(case["case"] for case in evaluation.cases if case["labelled"])
    arrays = evaluation.pictures(case)
    spacing_mm = tuple(arrays["spacing_mm"][1:])
    colours = list(evaluation.task.colours.values())
    index = _fullest(arrays["reference"], evaluation.task.num_classes)
    rows, columns = body_box(arrays["image"])
    image, translated, prediction, reference = (
        arrays[name][index, rows, columns] for name in ("image", "translated", "prediction", "reference")
    )
    tiles = [
        grey_picture(image, spacing_mm).convert("RGB"),
        grey_picture(translated, spacing_mm).convert("RGB"),
        overlay_picture(image, prediction, colours, spacing_mm).convert("RGB"),
        overlay_picture(image, reference, colours, spacing_mm).convert("RGB"),
    ]
    height = round(tiles[0].height * _TILE_WIDTH / tiles[0].width)
    picture = Image.new("RGB", (4 * _TILE_WIDTH + 3 * _GAP, height), "white")
    for place, tile in enumerate(tiles):
        picture.paste(tile.resize((_TILE_WIDTH, height), Image.Resampling.LANCZOS), (place * (_TILE_WIDTH + _GAP), 0))
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    picture.save(out, optimize=True)


def _fullest(labels: np.ndarray, num_classes: int) -> int:
    """The slice that shows most structures, and of those the most of the smallest."""
    counts = np.stack([(labels == index).sum(axis=(1, 2)) for index in range(1, num_classes)])
    shown = (counts > 0).sum(axis=0)
    return int(np.argmax(shown * 1e6 + counts.min(axis=0)))


if __name__ == "__main__":
    main(*sys.argv[1:])
