"""Slices of a DICOM series to one array and its affine.

A series is what its geometry says: anonymised slices may carry different UIDs, and SliceThickness is not the distance
of slices.
"""

import dataclasses
import os
import warnings
from collections.abc import Sequence

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError

from attent_tf.errors import InputError
from attent_tf.volumes.nifti_header import MAX_VOXELS

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])

# Slice positions may stray from even steps by this part of a step: less than any missing slice, more than rounding.
_STEP_TOLERANCE = 0.1

_MODALITY_OF_DOMAIN = {"mri": "MR", "ct": "CT"}


@dataclasses.dataclass(frozen=True)
class DicomSlice:
    """One slice of a series.

    Attributes:
      path: its file.
      pixels: [row, column] float32, rescaled where the file says so.
      position_mm: [3] LPS centre of the first pixel.
      directions: [2, 3] LPS unit vectors in which columns and rows count up.
      spacing_mm: [2] distance of neighbouring columns, of neighbouring rows.
    """

    path: str
    pixels: np.ndarray
    position_mm: np.ndarray
    directions: np.ndarray
    spacing_mm: np.ndarray

    @property
    def height_mm(self) -> float:
        """Position along the normal of the slice."""
        return float(np.dot(np.cross(*self.directions), self.position_mm))


def read_slice(path: str | os.PathLike, domain: str) -> DicomSlice:
    """Reads one slice.

    Args:
      path: a DICOM file with one grey-scale frame.
      domain: `mri` or `ct`; a file that says it is of the other modality is refused.

    Raises:
      InputError: the file is not DICOM, lacks its geometry, or its pixels are not rows × columns.
    """
    path = str(path)
    try:
        # Of what the library warns about, the parts that matter are checked below.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path)
    except InvalidDicomError as error:
        raise InputError(f"{path}: expected a DICOM file, found other content; remove it or copy it again") from error
    except (OSError, EOFError, ValueError) as error:
        raise InputError(
            f"{path}: expected a whole DICOM file, reading failed ({_line(error)}); copy it again"
        ) from error
    modality = str(dataset.get("Modality", ""))
    if modality in _MODALITY_OF_DOMAIN.values() and modality != _MODALITY_OF_DOMAIN[domain]:
        raise InputError(
            f"{path}: expected a slice of domain {domain}, found modality {modality}; give it as the other one"
        )
    rows, columns = int(_numbers(dataset, path, "Rows", 1)[0]), int(_numbers(dataset, path, "Columns", 1)[0])
    orientation = _numbers(dataset, path, "ImageOrientationPatient", 6).reshape(2, 3)
    if not np.allclose(orientation @ orientation.T, np.eye(2), atol=1e-3):
        raise InputError(
            f"{path}: expected two perpendicular unit vectors in ImageOrientationPatient, found {orientation.tolist()}"
        )
    row_mm, column_mm = _numbers(dataset, path, "PixelSpacing", 2)
    if not (row_mm > 0 and column_mm > 0):
        raise InputError(
            f"{path}: expected a PixelSpacing above 0 mm, found {row_mm:g} and {column_mm:g}; mend the file"
        )
    return DicomSlice(
        path=path,
        pixels=_pixels(dataset, path, rows, columns),
        position_mm=_numbers(dataset, path, "ImagePositionPatient", 3),
        directions=orientation,
        spacing_mm=np.array([column_mm, row_mm]),
    )


def stack_slices(slices: Sequence[DicomSlice], series: str) -> tuple[np.ndarray, np.ndarray]:
    """Stacks slices in the order given.

    Args:
      slices: at least two, of one size, orientation and spacing, at even steps.
      series: what a message calls them: a case or a folder.

    Returns:
      [column, row, slice] float32 intensities, and the [4, 4] float64 affine to millimetres in RAS+.

    Raises:
      InputError: the slices do not make one volume in this order.
    """
    if len(slices) < 2:
        raise InputError(f"{series}: expected at least 2 DICOM slices, found {len(slices)}; give the whole series")
    first = slices[0]
    for one in slices[1:]:
        if one.pixels.shape != first.pixels.shape:
            raise _mixed(series, "size", first, one, first.pixels.shape, one.pixels.shape)
        if not np.allclose(one.directions, first.directions, atol=1e-3):
            raise _mixed(series, "orientation", first, one, first.directions.tolist(), one.directions.tolist())
        if not np.allclose(one.spacing_mm, first.spacing_mm, rtol=1e-3):
            raise _mixed(series, "pixel spacing", first, one, first.spacing_mm.tolist(), one.spacing_mm.tolist())
    if len(slices) * first.pixels.size > MAX_VOXELS:
        raise InputError(f"{series}: expected at most {MAX_VOXELS} voxels, found {len(slices)} × {first.pixels.shape}")
    step_mm = _even_step_mm(slices, series)
    linear = np.column_stack([*(first.directions * first.spacing_mm[:, None]), step_mm])
    affine = np.eye(4)
    affine[:3, :3] = _LPS_TO_RAS @ linear
    affine[:3, 3] = _LPS_TO_RAS @ first.position_mm
    return np.stack([one.pixels.T for one in slices], axis=-1), affine


def _even_step_mm(slices: Sequence[DicomSlice], series: str) -> np.ndarray:
    """[3] LPS vector from one slice to the next."""
    heights = np.array([one.height_mm for one in slices])
    steps = np.diff(heights)
    same = np.flatnonzero(np.abs(steps) < 1e-3)
    if same.size:
        raise InputError(
            f"{series}: expected one slice at each position, found {slices[same[0]].path} and "
            f"{slices[same[0] + 1].path} at {heights[same[0]]:.2f} mm; remove the double slices"
        )
    turned = np.flatnonzero(np.sign(steps) != np.sign(steps[0]))
    if turned.size:
        raise InputError(
            f"{series}: expected slices in the order of their positions, found that {slices[turned[0] + 1].path} turns "
            "back along the patient; mend the file names or the positions"
        )
    positions = np.array([one.position_mm for one in slices])
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    stray = np.linalg.norm(positions - (positions[0] + np.arange(len(slices))[:, None] * step), axis=1)
    worst = int(stray.argmax())
    if stray[worst] > _STEP_TOLERANCE * np.linalg.norm(step):
        raise InputError(
            f"{series}: expected slices at even steps of {np.linalg.norm(step):.2f} mm, found {slices[worst].path} "
            f"{stray[worst]:.2f} mm off; look for a missing slice"
        )
    return step


def _pixels(dataset: pydicom.Dataset, path: str, rows: int, columns: int) -> np.ndarray:
    if int(dataset.get("SamplesPerPixel", 1)) != 1 or int(dataset.get("NumberOfFrames", 1) or 1) != 1:
        raise InputError(
            f"{path}: expected one grey-scale frame, found several frames or colours; export single slices"
        )
    if str(dataset.get("PhotometricInterpretation", "MONOCHROME2")) != "MONOCHROME2":
        raise InputError(f"{path}: expected MONOCHROME2, found {dataset.PhotometricInterpretation}; convert the series")
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if "PixelData" not in dataset or syntax is None:
        raise InputError(f"{path}: expected pixel data and a transfer syntax, found none; copy the file again")
    if not syntax.is_compressed:
        # The library would read surplus bytes as further frames.
        expected = rows * columns * int(dataset.get("BitsAllocated", 16)) // 8
        if len(dataset.PixelData) not in (expected, expected + expected % 2):
            raise InputError(
                f"{path}: expected {expected} bytes of pixels for {rows} × {columns}, found {len(dataset.PixelData)}; "
                "copy the file again"
            )
    try:
        pixels = dataset.pixel_array.astype(np.float32)
    except (AttributeError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"{path}: expected pixels that can be decoded, found {_line(error)}; decompress it") from error
    if pixels.shape != (rows, columns):
        raise InputError(
            f"{path}: expected pixels of {rows} × {columns}, found shape {pixels.shape}; copy the file again"
        )
    slope = _numbers(dataset, path, "RescaleSlope", 1)[0] if "RescaleSlope" in dataset else 1.0
    intercept = _numbers(dataset, path, "RescaleIntercept", 1)[0] if "RescaleIntercept" in dataset else 0.0
    return pixels * np.float32(slope) + np.float32(intercept)


def _numbers(dataset: pydicom.Dataset, path: str, keyword: str, count: int) -> np.ndarray:
    try:
        numbers = np.atleast_1d(np.array(dataset.get(keyword), np.float64))
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise InputError(f"{path}: expected {count} numbers in {keyword}, found {dataset.get(keyword)}; mend the file")
    return numbers


def _mixed(series: str, what: str, first: DicomSlice, other: DicomSlice, one: object, two: object) -> InputError:
    return InputError(
        f"{series}: expected slices of one {what}, found {one} in {first.path} and {two} in {other.path}; "
        "give one series"
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
