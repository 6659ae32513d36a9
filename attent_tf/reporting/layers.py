"""The layers of a case as text for the page's viewer: pictures lossy and small, label maps exactly.

Pictures are one WebP a slice, so that a browser unpacks only what is looked at. Label maps are one zlib stream a volume, which
browsers unpack themselves (`DecompressionStream`): a lossy label map would show structures that nobody predicted.
"""

import base64
import dataclasses
import io
import os
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from attent_tf.errors import InputError
from attent_tf.evaluation.folder import Evaluation
from attent_tf.reporting.pictures import body_box, heat_table

# What is tried, from the best on; below the last one, entropy and noise become blocks.
QUALITIES = (80, 70, 60, 50, 40, 30)
# Of 0 to 6: 4 takes twice the time for 5 % fewer bytes.
_EFFORT = 2
SAMPLED_SLICES = 4
_LABELS = ("prediction", "reference")


@dataclasses.dataclass(frozen=True)
class CaseLayers:
    """Everything that the viewer shows of one case, cut to the body.

    Attributes:
      shared: name -> [slice, row, column] uint8 of what belongs to the case: `image`, `reference`.
      methods: for each method the same of `translated`, `entropy`, `prediction`; None if the method lacks the case.
      spacing_mm: [slice, row, column] distance of neighbouring voxel centres.
    """

    shared: dict[str, np.ndarray]
    methods: tuple[dict[str, np.ndarray] | None, ...]
    spacing_mm: tuple[float, float, float]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows and columns that are shown."""
        first = next(iter(self._all()))
        return first[1].shape

    def _all(self):
        for arrays in (self.shared, *(arrays for arrays in self.methods if arrays)):
            yield from arrays.items()

    def encoded(self, quality: int) -> dict[str, object]:
        """Returns the layers as JSON can hold them: base64 of a WebP for each slice, of a zlib stream for labels."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            shared = _encoded(self.shared, quality, pool)
            methods = [_encoded(arrays, quality, pool) if arrays else None for arrays in self.methods]
        return {**shared, "methods": methods}

    def estimated_bytes(self) -> dict[int, int]:
        """Returns for each of `QUALITIES` about how many bytes `encoded` takes, from a few slices."""
        sizes = dict.fromkeys(QUALITIES, 0)
        for name, volume in self._all():
            if name in _LABELS:
                size = len(labels_text(volume))
                sizes = {quality: total + size for quality, total in sizes.items()}
                continue
            places = sorted({round(p) for p in np.linspace(0, len(volume) - 1, min(SAMPLED_SLICES, len(volume)))})
            for quality in QUALITIES:
                sample = sum(len(picture_text(volume[place], name == "entropy", quality)) for place in places)
                sizes[quality] += sample * len(volume) // len(places)
        return sizes


def read_layers(case: str, entries: Sequence[tuple[str, Evaluation]]) -> CaseLayers:
    """Reads what the methods made of one case.

    Args:
      case: its name.
      entries: (label, evaluation) of each method; at least one has the case.

    Raises:
      InputError: pictures cannot be read, or the methods were evaluated on different grids.
    """
    read = [
        (label, evaluation.pictures(case) if case in {c.case for c in evaluation.cases} else None)
        for label, evaluation in entries
    ]
    first_label, first = next((label, arrays) for label, arrays in read if arrays is not None)
    for label, arrays in read:
        if arrays is not None and arrays["prediction"].shape != first["prediction"].shape:
            raise InputError(
                f"case {case}: expected one grid for all methods, found {first['prediction'].shape} from {first_label} and "
                f"{arrays['prediction'].shape} from {label}; evaluate both on the same records"
            )
    box = _box([arrays for _, arrays in read if arrays is not None])
    return CaseLayers(
        {name: first[name][box] for name in ("image", "reference") if name in first},
        tuple(
            arrays and {name: arrays[name][box] for name in ("translated", "entropy", "prediction") if name in arrays}
            for _, arrays in read
        ),
        tuple(float(step) for step in first["spacing_mm"]),
    )


def _box(methods: Sequence[dict[str, np.ndarray]]) -> tuple[slice, slice, slice]:
    """The part to show: the body, and every voxel that any label map calls a structure, be it in the air."""
    rows, columns = body_box(methods[0]["image"]) if "image" in methods[0] else (slice(0, 0), slice(0, 0))
    for labels in (arrays[name] for arrays in methods for name in _LABELS if name in arrays):
        labelled = (labels > 0).any(axis=0)
        if labelled.any():
            rows, columns = (widened(part, labelled.any(axis=1 - axis)) for axis, part in enumerate((rows, columns)))
    shape = methods[0]["prediction"].shape[1:]
    return slice(None), *(
        part if part.stop else slice(0, size) for part, size in zip((rows, columns), shape, strict=True)
    )


def widened(part: slice, labelled: np.ndarray) -> slice:
    """Returns the smallest slice that holds `part` and every place that is true in `there`."""
    places = np.flatnonzero(labelled)
    low, high = int(places[0]), int(places[-1]) + 1
    return slice(min(part.start, low), max(part.stop, high)) if part.stop else slice(low, high)


def _encoded(arrays: dict[str, np.ndarray], quality: int, pool: ThreadPoolExecutor) -> dict[str, object]:
    return {
        name: labels_text(volume)
        if name in _LABELS
        else list(pool.map(lambda part, heat=name == "entropy": picture_text(part, heat, quality), volume))
        for name, volume in arrays.items()
    }


def picture_text(picture: np.ndarray, heat: bool, quality: int) -> str:
    """Returns a [row, column] uint8 slice as base64 of a WebP, in grey or in the colours of entropy."""
    image = Image.fromarray(heat_table()[picture] if heat else np.ascontiguousarray(picture))
    content = io.BytesIO()
    image.save(content, "WEBP", quality=quality, method=_EFFORT)
    return base64.b64encode(content.getvalue()).decode("ascii")


def labels_text(labels: np.ndarray) -> str:
    """Returns [slice, row, column] uint8 class indices as base64 of a zlib stream."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(labels).tobytes(), 9)).decode("ascii")
