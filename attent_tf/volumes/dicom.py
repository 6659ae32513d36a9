"""Slices of a DICOM series to one array and its affine.

A series is what its geometry says: anonymised slices may carry different UIDs, and SliceThickness is not the distance
of slices.
"""

import contextlib
import dataclasses
import os
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError

from attent_tf.errors import InputError
from attent_tf.volumes.dicom_content import read_dicom
from attent_tf.volumes.dicom_elements import numbers_of
from attent_tf.volumes.dicom_pixels import slice_pixels
from attent_tf.volumes.nifti_header import MAX_VOXELS

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])

# Slice positions may stray from even steps by this part of a step: less than any missing slice, more than rounding.
_STEP_TOLERANCE = 0.1

_MODALITY_OF_DOMAIN = {"mri": "MR", "ct": "CT"}


@dataclasses.dataclass(frozen=True)
class SliceHeader:
    """Place and size of one slice of a series.

    Attributes:
      path: its file.
      rows, columns: its pixels.
      position_mm: [3] LPS centre of the first pixel.
      directions: [2, 3] LPS unit vectors in which columns and rows count up.
      spacing_mm: [2] distance of neighbouring columns, of neighbouring rows.
    """

    path: str
    rows: int
    columns: int
    position_mm: np.ndarray
    directions: np.ndarray
    spacing_mm: np.ndarray

    @property
    def height_mm(self) -> float:
        """Position along the normal of the slice."""
        return float(np.dot(np.cross(*self.directions), self.position_mm))


def read_slice_header(path: str | os.PathLike, domain: str) -> SliceHeader:
    """Reads a slice without its pixels.

    Args:
      path: a DICOM file with one grey-scale frame.
      domain: `mri` or `ct`; a file that says it is of the other modality is refused.

    Raises:
      InputError: the file is not DICOM or lacks its geometry. Of other elements nothing is quoted: they may name people.
    """
    with _parsed(path, stop_before_pixels=True) as dataset:
        return _header(dataset, str(path), domain)


def read_slice(path: str | os.PathLike, domain: str) -> tuple[SliceHeader, np.ndarray]:
    """Reads a slice.

    Args: as `read_slice_header`.

    Returns:
      Its header, and [row, column] float32 pixels, rescaled where the file says so.

    Raises:
      InputError: as `read_slice_header`, or the pixels are not rows × columns.
    """
    with _parsed(path) as dataset:
        header = _header(dataset, str(path), domain)
        return header, slice_pixels(dataset, header.path, header.rows, header.columns)


def stack_slices(slices: Sequence[tuple[SliceHeader, np.ndarray]], series: str) -> tuple[np.ndarray, np.ndarray]:
    """Stacks slices in the order given.

    Args:
      slices: from `read_slice`; at least two, of one size, orientation and spacing, at even steps.
      series: what a message calls them: a case or a folder.

    Returns:
      [column, row, slice] float32 intensities, and the [4, 4] float64 affine to millimetres in RAS+.

    Raises:
      InputError: the slices do not make one volume in this order.
    """
    affine = series_affine([header for header, _ in slices], series)
    return np.stack([pixels for _, pixels in slices]).T, affine


def series_affine(headers: Sequence[SliceHeader], series: str) -> np.ndarray:
    """Returns the [4, 4] float64 affine of slices in the order given, to millimetres in RAS+.

    Raises:
      InputError: the slices do not make one volume in this order; the first of `series_problems`.
    """
    for problem in series_problems(headers, series):
        raise problem
    first = headers[0]
    step_mm = (headers[-1].position_mm - first.position_mm) / (len(headers) - 1)
    affine = np.eye(4)
    affine[:3, :3] = _LPS_TO_RAS @ np.column_stack([*(first.directions * first.spacing_mm[:, None]), step_mm])
    affine[:3, 3] = _LPS_TO_RAS @ first.position_mm
    return affine


def series_problems(headers: Sequence[SliceHeader], series: str) -> Iterator[InputError]:
    """Yields what keeps slices from making one volume in this order.

    Args:
      headers: of the slices.
      series: what a message calls them: a case or a folder.
    """
    if len(headers) < 2:
        yield InputError(series, "at least 2 DICOM slices", f"{len(headers)}", "give the whole series")
        return
    first = headers[0]
    mixed = []
    for what, values, same in (
        ("size", [(one.rows, one.columns) for one in headers], lambda one, two: one == two),
        (
            "orientation",
            [one.directions.round(4).tolist() for one in headers],
            lambda one, two: np.allclose(one, two, atol=1e-3),
        ),
        (
            "pixel spacing",
            [one.spacing_mm.tolist() for one in headers],
            lambda one, two: np.allclose(one, two, rtol=1e-3),
        ),
    ):
        for one, value in zip(headers, values, strict=True):
            if not same(value, values[0]):
                found = f"{values[0]} in {first.path} and {value} in {one.path}"
                mixed.append(InputError(series, f"slices of one {what}", found, "give one series"))
                break
    yield from mixed
    voxels = sum(one.rows * one.columns for one in headers)
    if voxels > MAX_VOXELS:
        found = f"{voxels} in {len(headers)} slices"
        yield InputError(series, f"at most {MAX_VOXELS} voxels", found, "give one series, or crop it")
    # Positions of slices that are not parallel have no order.
    if not any("orientation" in one.problem.expected for one in mixed):
        yield from _step_problems(headers, series)


def _step_problems(headers: Sequence[SliceHeader], series: str) -> Iterator[InputError]:
    heights = np.array([one.height_mm for one in headers])
    steps = np.diff(heights)
    same = np.flatnonzero(np.abs(steps) < 1e-3)
    if same.size:
        found = f"{headers[same[0]].path} and {headers[same[0] + 1].path} at {heights[same[0]]:.2f} mm"
        yield InputError(series, "one slice at each position", found, "remove the double slices")
        return
    turned = np.flatnonzero(np.sign(steps) != np.sign(steps[0]))
    if turned.size:
        found = f"that {headers[turned[0] + 1].path} turns back along the patient"
        advice = "mend the file names or the positions"
        yield InputError(series, "slices in the order of their positions", found, advice)
        return
    positions = np.array([one.position_mm for one in headers])
    step = (positions[-1] - positions[0]) / (len(headers) - 1)
    stray = np.linalg.norm(positions - (positions[0] + np.arange(len(headers))[:, None] * step), axis=1)
    worst = int(stray.argmax())
    length = float(np.linalg.norm(step))
    if stray[worst] > _STEP_TOLERANCE * length:
        found = f"{headers[worst].path} {stray[worst]:.2f} mm off"
        yield InputError(series, f"slices at even steps of {length:.2f} mm", found, "look for a missing slice")


@contextlib.contextmanager
def _parsed(path: str | os.PathLike, stop_before_pixels: bool = False) -> Iterator[pydicom.Dataset]:
    """Yields the elements of a file, and turns whatever their parser raises in the block into one line."""
    try:
        # Of what the library warns about, the parts that matter are checked here.
        with warnings.catch_warnings():
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


def _header(dataset: pydicom.Dataset, path: str, domain: str) -> SliceHeader:
    modality = str(dataset.get("Modality", ""))
    if modality in _MODALITY_OF_DOMAIN.values() and modality != _MODALITY_OF_DOMAIN[domain]:
        raise InputError(path, f"a slice of domain {domain}", f"modality {modality}", "give it as the other one")
    rows, columns = (int(numbers_of(dataset, path, word, 1)[0]) for word in ("Rows", "Columns"))
    if rows < 1 or columns < 1 or rows * columns > MAX_VOXELS:
        raise InputError(
            path,
            f"1 to {MAX_VOXELS} pixels",
            f"{rows} × {columns} in the header",
            "the header is damaged; copy it again",
        )
    directions = numbers_of(dataset, path, "ImageOrientationPatient", 6).reshape(2, 3)
    if not np.allclose(directions @ directions.T, np.eye(2), atol=1e-3):
        raise InputError(
            path,
            "two perpendicular unit vectors in ImageOrientationPatient",
            f"{directions.tolist()}",
            "mend the file",
        )
    row_mm, column_mm = numbers_of(dataset, path, "PixelSpacing", 2)
    if not (row_mm > 0 and column_mm > 0):
        raise InputError(path, "a PixelSpacing above 0 mm", f"{row_mm:g} and {column_mm:g}", "mend the file")
    return SliceHeader(
        path=path,
        rows=rows,
        columns=columns,
        position_mm=numbers_of(dataset, path, "ImagePositionPatient", 3),
        directions=directions,
        spacing_mm=np.array([column_mm, row_mm]),
    )
