"""Enhanced multi-frame objects (PS3.3, A.36 and A.38) as single frames.

What differs between frames, and what they share, stands in functional groups. Put flat, a frame has the elements of an ordinary
slice, and whatever reads slices reads it.
"""

import dataclasses
from collections.abc import Iterator

import pydicom
from pydicom.encaps import encapsulate, generate_frames

from attent_tf.counting import counted
from attent_tf.errors import InputError

_SHARED, _PER_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"

# Groups whose elements an ordinary slice has at its top.
_FLATTENED = (
    "PixelMeasuresSequence",
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "PixelValueTransformationSequence",
)

# What may tell frames at one place apart: group, element, and its name for people.
_TRAITS = (
    ("FrameContentSequence", "StackID", "stacks"),
    ("FrameContentSequence", "TemporalPositionIndex", "time points"),
    ("MREchoSequence", "EffectiveEchoTime", "echo times"),
    ("MRDiffusionSequence", "DiffusionBValue", "b-values"),
    ("CardiacSynchronizationSequence", "NominalPercentageOfCardiacPhase", "cardiac phases"),
    ("MRImageFrameTypeSequence", "ComplexImageComponent", "parts of complex images"),
    ("CTImageFrameTypeSequence", "FrameType", "frame types"),
    ("MRImageFrameTypeSequence", "FrameType", "frame types"),
)

_PIXELS = "PixelData"


@dataclasses.dataclass(frozen=True)
class Frame:
    """A frame as a slice.

    Attributes:
      dataset: the elements of an ordinary slice, with the frame's own pixels where the object's were read.
      number: from 1; None for a file that is one slice.
      traits: what may tell it from another frame at the same place: a name for people and a value.
    """

    dataset: pydicom.Dataset
    number: int | None = None
    traits: tuple[tuple[str, str], ...] = ()


def frames_of(dataset: pydicom.Dataset, path: str) -> Iterator[Frame]:
    """Yields the frames of an enhanced multi-frame object; any other file is yielded as it is.

    Args:
      dataset: the elements of a file, with or without its pixels.
      path: what messages call it.

    Raises:
      InputError: the object has fewer functional groups or pixels than it says it has frames.
    """
    groups = dataset.get(_PER_FRAME)
    if not groups:
        yield Frame(dataset)
        return
    count = int(dataset.get("NumberOfFrames") or 1)
    if len(groups) != count:
        found = f"{len(groups)} for {counted(count, 'frame')}"
        raise InputError(path, f"one item per frame in {_PER_FRAME}", found, "copy the file again")
    shared = (dataset.get(_SHARED) or [pydicom.Dataset()])[0]
    common = pydicom.Dataset()
    left_out = {pydicom.datadict.tag_for_keyword(word) for word in (_SHARED, _PER_FRAME, _PIXELS, "NumberOfFrames")}
    common.update({tag: dataset.get_item(tag) for tag in dataset.keys() - left_out})
    for number, (own, pixels) in enumerate(zip(groups, _pixels_of(dataset, path, count), strict=True), start=1):
        flat = pydicom.Dataset()
        flat.update(common)
        flat.file_meta = dataset.file_meta
        for keyword in _FLATTENED:
            if item := _item(keyword, own, shared):
                flat.update(item)
        if pixels is not None:
            flat[_PIXELS] = pydicom.DataElement(_PIXELS, dataset[_PIXELS].VR, pixels)
        yield Frame(flat, number, _traits(own, shared))


def _item(keyword: str, own: pydicom.Dataset, shared: pydicom.Dataset) -> pydicom.Dataset | None:
    """The one item of a functional group, which stands with the frame or with all."""
    for group in (own, shared):
        if sequence := group.get(keyword):
            return sequence[0]
    return None


def _traits(own: pydicom.Dataset, shared: pydicom.Dataset) -> tuple[tuple[str, str], ...]:
    found = []
    for group, keyword, name in _TRAITS:
        item = _item(group, own, shared)
        if item is not None and item.get(keyword) is not None:
            found.append((name, str(item[keyword].value)))
    return tuple(found)


def _pixels_of(dataset: pydicom.Dataset, path: str, count: int) -> Iterator[bytes | None]:
    """Yields the stored pixels of each frame, as they would stand in a file of their own; None if none were read."""
    stored = dataset.get(_PIXELS)
    if not stored:
        yield from [None] * count
        return
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_transfer_syntax:
        # Nobody can part what it holds; whoever decodes a frame tells so.
        yield from [stored] * count
        return
    if syntax.is_compressed:
        yield from (encapsulate([frame]) for frame in generate_frames(stored, number_of_frames=count))
        return
    samples = int(dataset.get("SamplesPerPixel", 1))
    length = int(dataset.Rows) * int(dataset.Columns) * samples * int(dataset.get("BitsAllocated", 16)) // 8
    if len(stored) - length * count not in (0, length * count % 2):
        expected = (
            f"{length * count} bytes of pixels for {counted(count, 'frame')} of {dataset.Rows} × {dataset.Columns}"
        )
        raise InputError(path, expected, f"{len(stored)}", "copy the file again")
    for start in range(0, length * count, length):
        yield stored[start : start + length]
