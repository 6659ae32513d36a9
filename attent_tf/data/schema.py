"""One slice as a TFRecord example: the features of schema version 3 and their meaning.

Unlike the record format of SIFA, a record knows its case, its place in the scan and the way back to the file's own
grid, so that volumes can be put together again.
"""

import dataclasses
import json
import math

import numpy as np

from attent_tf.counting import counted
from attent_tf.data.splits import SPLITS
from attent_tf.errors import RecordsError
from attent_tf.tasks import Task
from attent_tf.tfrecord import example
from attent_tf.volumes import CaseGeometry

SCHEMA_VERSION = 3


@dataclasses.dataclass(frozen=True, eq=False)
class SliceRecord:
    """One axial slice of a case.

    Attributes:
      image: [row, column] float32 in [-1, 1]; [row, column, channel] where the geometry has neighbours, the slice itself
        in the middle.
      label: [row, column] uint8 class indices, or None where the case has no labels.
      case: identifier such as `chaos-1`.
      domain: name of a domain of the task.
      split: `train`, `test` or `all`.
      slice_index: index in the prepared case, whatever slices were left out.
      slice_count: number of slices of the prepared case.
      geometry: the way back to the file's own grid, the same for all slices of the case; its `space` says whether the case is a
        volume at all.
    """

    image: np.ndarray
    label: np.ndarray | None
    case: str
    domain: str
    split: str
    slice_index: int
    slice_count: int
    geometry: CaseGeometry

    @property
    def channels(self) -> np.ndarray:
        """The image as [row, column, channel], whether it has neighbours or not."""
        return self.image.reshape(*self.image.shape[:2], self.geometry.channels)


def encode(record: SliceRecord, task: Task) -> bytes:
    """Serialises a slice as a `tf.train.Example`; equal slices give equal bytes.

    Args:
      record: image of the size and channels that its geometry says, label [row, column] of that size or None.
      task: whose classes and domain they are.

    Returns:
      The serialised example.

    Raises:
      ValueError: image, label or words do not fit the schema.
    """
    fault = _fault(record, task)
    if fault:
        raise ValueError(f"Slice {record.slice_index} of {record.case}: {fault}")
    return example.pack(
        {
            "schema": SCHEMA_VERSION,
            "image": np.ascontiguousarray(record.image, "<f4").tobytes(),
            "label": b"" if record.label is None else np.ascontiguousarray(record.label, "u1").tobytes(),
            "case": record.case.encode(),
            "domain": record.domain.encode(),
            "split": record.split.encode(),
            "slice_index": int(record.slice_index),
            "slice_count": int(record.slice_count),
            "geometry": geometry_text(record.geometry).encode(),
        }
    )


def decode(payload: bytes, task: Task, name: str = "record") -> SliceRecord:
    """Reads what `encode` wrote; the arrays are read-only views of `payload`.

    Args:
      payload: a serialised example.
      task: the task of the records folder.
      name: what messages call the record.

    Returns:
      The slice.

    Raises:
      RecordsError: the bytes are no example, of another schema, or contradict themselves.
    """
    try:
        features = example.unpack(payload)
    except ValueError as error:
        raise RecordsError(f"{name}: {error}; preprocess again") from error
    schema = _one(features, "schema", int, name)
    if schema != SCHEMA_VERSION:
        raise RecordsError(f"{name}: expected schema {SCHEMA_VERSION}, found {schema}; preprocess again")
    try:
        geometry = CaseGeometry.from_json(json.loads(_one(features, "geometry", bytes, name)))
        case, domain, split = (_one(features, word, bytes, name).decode() for word in ("case", "domain", "split"))
    except (ValueError, RecordsError) as error:
        raise RecordsError(f"{name}: its geometry or words cannot be read: {error}; preprocess again") from error
    size, shape = geometry.grid.size, _image_shape(geometry)
    image, label = (_one(features, word, bytes, name) for word in ("image", "label"))
    if len(image) != 4 * math.prod(shape) or len(label) not in (0, size * size):
        expected = f"{4 * math.prod(shape)} bytes of image and 0 or {size * size} of label"
        raise RecordsError(f"{name}: expected {expected}, found {len(image)} and {len(label)}; preprocess again")
    record = SliceRecord(
        image=np.frombuffer(image, "<f4").reshape(shape),
        label=np.frombuffer(label, np.uint8).reshape(size, size) if label else None,
        case=case,
        domain=domain,
        split=split,
        slice_index=_one(features, "slice_index", int, name),
        slice_count=_one(features, "slice_count", int, name),
        geometry=geometry,
    )
    fault = _fault(record, task)
    if fault:
        raise RecordsError(f"{name}: {fault}; preprocess again")
    return record


def geometry_text(geometry: CaseGeometry) -> str:
    """Returns the geometry as compact JSON with sorted keys; floats keep every bit (shortest round-trip form)."""
    return json.dumps(geometry.to_json(), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _image_shape(geometry: CaseGeometry) -> tuple[int, ...]:
    size = geometry.grid.size
    return (size, size, geometry.channels) if geometry.neighbours else (size, size)


def _one(features: dict, word: str, kind: type, name: str):
    """Returns the single value of a feature."""
    values = features.get(word, [])
    if len(values) != 1 or not isinstance(values[0], kind):
        raise RecordsError(f"{name}: expected one {kind.__name__} in feature {word!r}, found {len(values)} values")
    return values[0]


def _fault(record: SliceRecord, task: Task) -> str | None:
    """Says what contradicts the schema, or None."""
    shape, image_shape = (record.geometry.grid.size,) * 2, _image_shape(record.geometry)
    image, label = record.image, record.label
    if image.shape != image_shape or image.dtype != np.float32:
        return f"expected a float32 image of {image_shape}, found {image.dtype} of {image.shape}"
    if not (np.min(image) >= -1 and np.max(image) <= 1):
        return f"expected an image within [-1, 1], found {np.min(image)} to {np.max(image)}"
    if label is not None and (label.shape != shape or label.dtype != np.uint8):
        return f"expected a uint8 label of {shape}, found {label.dtype} of {label.shape}"
    if label is not None and np.max(label) >= task.num_classes:
        return f"expected classes 0 to {task.num_classes - 1} in the label, found {np.max(label)}"
    if record.domain not in task.domain_names:
        return f"expected a domain among {', '.join(task.domain_names)}, found {record.domain!r}"
    if record.split not in SPLITS:
        return f"expected a split among {', '.join(SPLITS)}, found {record.split!r}"
    if record.slice_count != record.geometry.grid.slices:
        return f"expected {counted(record.geometry.grid.slices, 'slice')} by the geometry, found a count of {record.slice_count}"
    if not 0 <= record.slice_index < record.slice_count:
        return f"expected a slice index below {record.slice_count}, found {record.slice_index}"
    return None
