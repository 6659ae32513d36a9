"""Files in the form of SIFA's published data: a slice with its neighbours in TFRecord, a test volume in `.npz`.

Neither says how large voxels are and how they lie. All that is known are the rows and columns that the authors' network is shown:
those of a TFRecord as they stand, and those of an `.npz` turned by half a turn (their evaluation reverses both axes).
"""

import dataclasses
import errno
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np

from attent_tf.counting import counted
from attent_tf.errors import InputError, RecordsError
from attent_tf.storage import open_binary
from attent_tf.tfrecord import example
from attent_tf.tfrecord.framing import read_frames
from attent_tf.volumes.nifti import shown_values

EDGE = 256
# A slice and the one on each side of it.
_SLICES, _MIDDLE = 3, 1
# 2²⁹ voxels of 256 × 256 slices, as many as a NIfTI file may have.
_MOST_SLICES = 2**13

_IMAGE, _LABELS = "arr_0", "arr_1"
_SIZES = {
    f"{letter}size_dim{axis}": sizes
    for letter, last in (("d", (3,)), ("l", (1, 3)))
    for axis, sizes in enumerate(((EDGE,), (EDGE,), last))
}

# Array axes to [column, row, slice] of the nominal patient: rows run backwards, columns leftwards, slices upwards.
SLICE_AFFINE = np.array([[0.0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
# Half a turn of the slice: rows run forwards, columns rightwards.
VOLUME_AFFINE = np.array([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])

# What zipfile and NumPy say of damaged files; they seek to wherever a directory points, which the system calls invalid.
_DAMAGES = (
    *(ValueError, EOFError, KeyError, NotImplementedError, RuntimeError, OSError, SyntaxError, OverflowError),
    *(struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)

_ADVICE = "copy or unpack it again, or remove it"


@dataclasses.dataclass(frozen=True)
class Arrays:
    """Voxels and labels that a file holds.

    Attributes:
      voxels: [row, column, slice] float32, as stored.
      numbers: [row, column, slice] int64 labels.
      affine: [4, 4] float64 by convention, under which canonical slices are those that the network is shown.
    """

    voxels: np.ndarray
    numbers: np.ndarray
    affine: np.ndarray


def read_slice(path: str | os.PathLike) -> Arrays:
    """Reads a TFRecord file of one slice and its neighbours; labels are those of the middle slice, others are 0.

    Raises:
      InputError: the file is damaged, holds no such slice, a value is not finite, or a label is no whole number.
    """
    with open_binary(path) as file, _faults(path):
        payloads = list(read_frames(file, str(path)))
    if len(payloads) != 1:
        raise InputError(path, "one record, of a slice", counted(len(payloads), "record"), _ADVICE)
    try:
        features = example.unpack(payloads[0])
    except ValueError as error:
        raise InputError(path, "a tf.train.Example of a slice", "other content", _ADVICE) from error
    for name, sizes in _SIZES.items():
        values = features.get(name, [])
        if len(values) != 1 or values[0] not in sizes:
            found = ", ".join(map(str, values[:5])) or "none"
            raise InputError(path, f"{' or '.join(map(str, sizes))} as {name}", found, _ADVICE)
    voxels = _floats(path, features, "data_vol", (_SLICES,))
    labels = _floats(path, features, "label_vol", (_SLICES, 1))
    numbers = np.zeros(voxels.shape, np.int64)
    numbers[..., _MIDDLE] = _whole(path, labels[..., labels.shape[-1] // 2])
    return Arrays(_finite(path, voxels), numbers, SLICE_AFFINE)


def read_volume(path: str | os.PathLike) -> Arrays:
    """Reads an `.npz` file of a test volume, image and labels.

    Raises:
      InputError: as `read_slice`.
    """
    with open_binary(path) as file, _faults(path):
        _check_shapes(path, file)
        file.seek(0)
        # Values beyond float32 become infinite, which is reported below.
        with np.load(file, allow_pickle=False) as arrays, np.errstate(over="ignore"):
            voxels, labels = np.asarray(arrays[_IMAGE], np.float32), arrays[_LABELS]
    return Arrays(_finite(path, voxels), _whole(path, labels), VOLUME_AFFINE)


def check_slice(path: str | os.PathLike) -> None:
    """Checks the frame of a TFRecord file by its ends, without reading what lies between.

    Raises:
      InputError: the file is damaged, or too short for a slice.
    """
    least = 4 * EDGE * EDGE * (_SLICES + 1)
    with open_binary(path) as file, _faults(path):
        size = file.seek(0, os.SEEK_END)
        if size < least:
            raise InputError(path, f"a slice of {least} bytes or more", f"{size} bytes", _ADVICE)
        file.seek(0)
        # The first record is skipped: of it only the length is read.
        second = next(read_frames(file, str(path), start=1), None)
        if second is not None or file.tell() != size:
            raise InputError(path, "one record, of a slice", "a file cut off or of several records", _ADVICE)


def check_volume(path: str | os.PathLike) -> None:
    """Checks the shapes that an `.npz` file declares.

    Raises:
      InputError: the file cannot be read, or its arrays are of other shapes or types.
    """
    with open_binary(path) as file, _faults(path):
        _check_shapes(path, file)


def _check_shapes(path: str | os.PathLike, file: BinaryIO) -> None:
    shapes = {}
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        for name in (_IMAGE, _LABELS):
            if f"{name}.npy" not in names:
                raise InputError(
                    path, f"{_IMAGE}, the image, and {_LABELS}, its labels", f"no {name}", "save it in that form"
                )
            with archive.open(f"{name}.npy") as member:
                version = np.lib.format.read_magic(member)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shapes[name], _, dtype = read(member)
            if dtype.kind not in "iuf":
                raise InputError(path, f"numbers in {name}", f"{dtype}", "save it in that form")
    for name, shape in shapes.items():
        fits = len(shape) == 3 and shape[:2] == (EDGE, EDGE) and 1 <= shape[2] <= _MOST_SLICES
        if not fits or shape != shapes[_IMAGE]:
            expected = f"{EDGE} × {EDGE} × slices in {_IMAGE} and {_LABELS}"
            raise InputError(
                path, expected, f"{' × '.join(map(str, shape)) or 'one number'} in {name}", "save it in that form"
            )


@contextmanager
def _faults(path: str | os.PathLike) -> Iterator[None]:
    """Turns what readers of the containers say into an error of one line."""
    try:
        yield
    except RecordsError as error:
        found = str(error).removeprefix(f"{path}: ").partition(";")[0]
        raise InputError(path, "a whole TFRecord file", found, _ADVICE) from error
    except _DAMAGES as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        found = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(path, "a whole .npz file, as numpy.savez writes it", found, _ADVICE) from error


def _floats(path: str | os.PathLike, features: dict, name: str, depths: tuple[int, ...]) -> np.ndarray:
    """[row, column, slice] of a feature of raw float32, of one of some numbers of slices."""
    values = features.get(name, [])
    content = values[0] if len(values) == 1 else None
    sizes = {4 * EDGE * EDGE * depth: depth for depth in depths}
    if not isinstance(content, bytes) or len(content) not in sizes:
        found = f"{len(content)} bytes" if isinstance(content, bytes) else "none"
        raise InputError(path, f"{' or '.join(map(str, sizes))} bytes of {name}", found, _ADVICE)
    return np.frombuffer(content, "<f4").reshape(EDGE, EDGE, sizes[len(content)])


def _finite(path: str | os.PathLike, voxels: np.ndarray) -> np.ndarray:
    bad = voxels.size - int(np.count_nonzero(np.isfinite(voxels)))
    if bad:
        found = counted(bad, "voxel that is NaN or infinite", "voxels that are NaN or infinite")
        raise InputError(path, "finite intensities", found, _ADVICE)
    return voxels


def _whole(path: str | os.PathLike, labels: np.ndarray) -> np.ndarray:
    """Labels of any type of number as int64."""
    # What is not finite is not whole either.
    wrong = ~((np.rint(labels) == labels) & (np.abs(labels) < 2**31))
    if wrong.any():
        raise InputError(path, "whole numbers as labels", shown_values(labels[wrong]), _ADVICE)
    return labels.astype(np.int64)
