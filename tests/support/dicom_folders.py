"""Small DICOM folders as people have them: series, what lies beside them, and enhanced multi-frame objects."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pydicom
import pydicom.uid
from pydicom.dataset import Dataset, FileMetaDataset

CLASSES = {
    "CT": (pydicom.uid.CTImageStorage, pydicom.uid.EnhancedCTImageStorage),
    "MR": (pydicom.uid.MRImageStorage, pydicom.uid.EnhancedMRImageStorage),
}
AXIAL = (1, 0, 0, 0, 1, 0)
SPACING_MM = (6.0, 6.0)
STEP_MM = 5.0
UID = "1.2.826.0.1.3680043.8.498."


def body(slices: int = 5, seed: int = 0) -> np.ndarray:
    """[slice, row, column] whole numbers that pass for the HU of a body."""
    rng = np.random.default_rng(seed)
    voxels = np.full((slices, 50, 60), -1000.0)
    voxels[:, 10:40, 10:50] = 60 + rng.normal(0, 90, (slices, 30, 40))
    return np.rint(voxels)


def heights(count: int, start_mm: float = 0.0, step_mm: float = STEP_MM) -> list[float]:
    return [start_mm + step_mm * place for place in range(count)]


def slice_dataset(
    pixels: np.ndarray, height_mm: float, series: str | None = "1", modality: str = "CT", number: int | None = None
) -> Dataset:
    """One slice; `series` ends its SeriesInstanceUID and is its SeriesNumber, unless `number` is."""
    dataset = _object(CLASSES[modality][0], modality)
    if series is not None:
        dataset.SeriesInstanceUID = UID + series
        dataset.SeriesNumber = number or int(series)
    dataset.ImageOrientationPatient = list(AXIAL)
    dataset.ImagePositionPatient = [-177.0, -147.0, height_mm]
    dataset.PixelSpacing = list(SPACING_MM)
    _set_pixels(dataset, pixels)
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0
    return dataset


def write_series(
    folder: Path,
    voxels: np.ndarray,
    heights_mm: Sequence[float] | None = None,
    series: str | None = "1",
    modality: str = "CT",
    name: str = "IM{:04d}.dcm",
    first: int = 1,
    edit: Callable[[Dataset, int], None] = lambda dataset, place: None,
) -> list[Path]:
    """Writes [slice, row, column] intensities as a file a slice."""
    folder.mkdir(parents=True, exist_ok=True)
    heights_mm = heights(len(voxels)) if heights_mm is None else heights_mm
    paths = []
    for place, (pixels, height_mm) in enumerate(zip(voxels, heights_mm, strict=True)):
        dataset = slice_dataset(pixels, height_mm, series, modality)
        edit(dataset, place)
        paths.append(folder / name.format(first + place))
        dataset.save_as(paths[-1], enforce_file_format=True)
    return paths


def write_object(path: Path, sop_class: str, modality: str, **elements) -> Path:
    """Writes an object that is no slice."""
    dataset = _object(sop_class, modality)
    dataset.SeriesInstanceUID = UID + "900"
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_report(path: Path) -> Path:
    return write_object(path, pydicom.uid.XRayRadiationDoseSRStorage, "SR")


def write_screenshot(path: Path) -> Path:
    return write_object(
        *(path, pydicom.uid.SecondaryCaptureImageStorage, "OT"),
        Rows=4,
        Columns=4,
        SamplesPerPixel=3,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=0,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelRepresentation=0,
        PixelData=bytes(48),
    )


def enhanced_dataset(
    stored: np.ndarray,
    heights_mm: Sequence[float],
    modality: str = "CT",
    rescale: Sequence[tuple[float, float]] = ((1, 0),),
    series: str = "1",
    per_frame: bool = False,
) -> Dataset:
    """An enhanced multi-frame object.

    Args:
      stored: [frame, row, column] int16 as they stand in the file.
      heights_mm: of the frames.
      modality: `CT` or `MR`.
      rescale: slope and intercept for all frames, or of each.
      series: ends its SeriesInstanceUID.
      per_frame: whether orientation and spacing stand with each frame, too, as some scanners write them.
    """
    dataset = _object(CLASSES[modality][1], modality)
    dataset.SeriesInstanceUID, dataset.SeriesNumber = UID + series, int(series)
    dataset.StudyInstanceUID, dataset.FrameOfReferenceUID = UID + "77", UID + "78"
    _set_pixels(dataset, stored)
    dataset.NumberOfFrames = len(stored)
    common = {
        "PlaneOrientationSequence": _item(ImageOrientationPatient=list(AXIAL)),
        "PixelMeasuresSequence": _item(PixelSpacing=list(SPACING_MM), SliceThickness=STEP_MM),
    }
    shared = Dataset()
    frames = []
    for place, height_mm in enumerate(heights_mm):
        frame = Dataset()
        frame.PlanePositionSequence = [_item(ImagePositionPatient=[-177.0, -147.0, height_mm])]
        for keyword, item in common.items():
            setattr(frame if per_frame else shared, keyword, [item])
        slope, intercept = rescale[place % len(rescale)]
        values = _item(RescaleSlope=slope, RescaleIntercept=intercept, RescaleType="US")
        (frame if len(rescale) > 1 else shared).PixelValueTransformationSequence = [values]
        frames.append(frame)
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = frames
    return dataset


def write_enhanced(path: Path, dataset: Dataset) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def _object(sop_class: str, modality: str) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = sop_class
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = pydicom.uid.generate_uid()
    dataset.Modality = modality
    return dataset


def _item(**elements) -> Dataset:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def _set_pixels(dataset: Dataset, pixels: np.ndarray) -> None:
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.PixelData = np.ascontiguousarray(pixels, "<i2").tobytes()
