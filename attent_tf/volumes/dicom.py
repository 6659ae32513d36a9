"""DICOM files to slices: where each lies, what tells it from others, and its intensities.

Most files hold one slice. An enhanced multi-frame object holds a scan, and its frames are slices like others.
"""

import contextlib
import dataclasses
import os
import warnings
from collections.abc import Collection, Iterator

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError

from attent_tf.errors import InputError
from attent_tf.volumes.dicom_content import read_dicom
from attent_tf.volumes.dicom_elements import numbers_of
from attent_tf.volumes.dicom_enhanced import Frame, frames_of
from attent_tf.volumes.dicom_objects import kind_of_object
from attent_tf.volumes.dicom_pixels import slice_pixels
from attent_tf.volumes.nifti_header import MAX_VOXELS


class NoSliceError(InputError):
    """A file is DICOM and holds no slice of a scan; `problem.found` says what it is."""


@dataclasses.dataclass(frozen=True)
class SliceHeader:
    """What is known of a slice without its pixels.

    Attributes:
      path: its file.
      rows, columns: its pixels.
      position_mm: [3] LPS centre of the first pixel.
      directions: [2, 3] LPS unit vectors in which columns and rows count up.
      spacing_mm: [2] distance of neighbouring columns, of neighbouring rows.
      modality: as the file says it, or empty.
      series_uid: SeriesInstanceUID, or empty.
      series_number: SeriesNumber, or None.
      is_localizer: whether it shows where slices lie and is none of the scan.
      frame: its number in the file, from 1; None if the file is one slice.
      traits: what may tell it from another frame at its place: a name for people and a value.
    """

    path: str
    rows: int
    columns: int
    position_mm: np.ndarray
    directions: np.ndarray
    spacing_mm: np.ndarray
    modality: str = ""
    series_uid: str = ""
    series_number: int | None = None
    is_localizer: bool = False
    frame: int | None = None
    traits: tuple[tuple[str, str], ...] = ()

    @property
    def height_mm(self) -> float:
        """Position along the normal of the slice."""
        return float(np.dot(np.cross(*self.directions), self.position_mm))

    @property
    def shown(self) -> str:
        """What messages call it: its file and, where that holds several, the frame."""
        return self.path if self.frame is None else f"{self.path}, frame {self.frame}"


def read_slice_headers(path: str | os.PathLike) -> tuple[SliceHeader, ...]:
    """Reads the slices of a file without their pixels: one, or the frames of an enhanced multi-frame object.

    Args:
      path: a DICOM file.

    Raises:
      NoSliceError: the file is DICOM and something else than slices.
      InputError: the file is not DICOM or lacks its geometry. Of other elements nothing is quoted: they may name people.
    """
    with _parsed(path, stop_before_pixels=True) as dataset:
        _refuse_objects(dataset, path)
        return tuple(_header(frame, str(path)) for frame in frames_of(dataset, str(path)))


def read_slices(
    path: str | os.PathLike, frames: Collection[int | None] | None = None
) -> Iterator[tuple[SliceHeader, np.ndarray]]:
    """Reads slices of a file, in the order in which they stand there.

    Args:
      path: a DICOM file.
      frames: `SliceHeader.frame` of the slices that are wanted; None for all.

    Yields:
      The header of each, and [row, column] float32 pixels, rescaled where the file says so.

    Raises:
      InputError: as `read_slice_headers`, or the pixels are not rows × columns.
    """
    with _parsed(path) as dataset:
        _refuse_objects(dataset, path)
        for frame in frames_of(dataset, str(path)):
            if frames is None or frame.number in frames:
                header = _header(frame, str(path))
                yield header, slice_pixels(frame.dataset, header.shown, header.rows, header.columns)


@contextlib.contextmanager
def _parsed(path: str | os.PathLike, stop_before_pixels: bool = False) -> Iterator[pydicom.Dataset]:
    """Yields the elements of a file, and turns whatever their parser raises in the block into one line."""
    try:
        # Of what the library warns about, the parts that matter are checked here. It would log values, which may name people.
        with warnings.catch_warnings(), pydicom.config.disable_value_validation():
            warnings.simplefilter("ignore")
            yield read_dicom(path, stop_before_pixels)
    except InputError:
        raise
    except InvalidDicomError as error:
        raise InputError(path, "a DICOM file", "other content", "remove it or copy it again") from error
    except MemoryError:
        raise
    # Elements are parsed when they are looked at, and damaged ones raise errors of many kinds. Their text may quote the file.
    except Exception as error:
        found = f"that reading failed ({getattr(error, 'strerror', None) or type(error).__name__})"
        raise InputError(path, "a whole DICOM file", found, "copy it again") from error


def _refuse_objects(dataset: pydicom.Dataset, path: str | os.PathLike) -> None:
    kind = kind_of_object(dataset)
    if kind is not None:
        raise NoSliceError(path, "slices of a scan", kind, "give the folder of the series itself")


def _header(frame: Frame, path: str) -> SliceHeader:
    dataset = frame.dataset
    shown = path if frame.number is None else f"{path}, frame {frame.number}"
    rows, columns = (int(numbers_of(dataset, shown, word, 1)[0]) for word in ("Rows", "Columns"))
    if rows < 1 or columns < 1 or rows * columns > MAX_VOXELS:
        raise InputError(
            shown,
            f"1 to {MAX_VOXELS} pixels",
            f"{rows} × {columns} in the header",
            "the header is damaged; copy it again",
        )
    directions = numbers_of(dataset, shown, "ImageOrientationPatient", 6).reshape(2, 3)
    if not np.allclose(directions @ directions.T, np.eye(2), atol=1e-3):
        raise InputError(
            shown,
            "two perpendicular unit vectors in ImageOrientationPatient",
            f"{directions.tolist()}",
            "correct the file",
        )
    row_mm, column_mm = numbers_of(dataset, shown, "PixelSpacing", 2)
    if not (row_mm > 0 and column_mm > 0):
        raise InputError(shown, "a PixelSpacing above 0 mm", f"{row_mm:g} and {column_mm:g}", "correct the file")
    return SliceHeader(
        path=path,
        rows=rows,
        columns=columns,
        position_mm=numbers_of(dataset, shown, "ImagePositionPatient", 3),
        directions=directions,
        spacing_mm=np.array([column_mm, row_mm]),
        modality=_text(dataset, "Modality").upper(),
        series_uid=_text(dataset, "SeriesInstanceUID"),
        series_number=_whole_number(dataset, "SeriesNumber"),
        is_localizer="LOCALIZER" in _text(dataset, "ImageType").upper(),
        frame=frame.number,
        traits=frame.traits,
    )


def _text(dataset: pydicom.Dataset, keyword: str) -> str:
    """What an element holds that no slice needs, so that a damaged one keeps none from being read; empty for none."""
    try:
        return str(dataset.get(keyword) or "").strip()
    except Exception:
        return ""


def _whole_number(dataset: pydicom.Dataset, keyword: str) -> int | None:
    try:
        return int(_text(dataset, keyword))
    except ValueError:
        return None
