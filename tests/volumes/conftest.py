"""A patient made of ellipsoids in millimetres of RAS+ space: an oracle that knows nothing of array axes."""

import dataclasses
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pydicom.uid
import pytest

from attent_tf.volumes import Volume
from tests.support.abdomen import ABDOMEN, LEFT_KIDNEY, LIVER, RIGHT_KIDNEY, SPLEEN

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "real"

# Organ -> centre and radii (right, anterior, superior) in mm, around the body's middle.
ORGANS_MM = {
    LIVER: ((52.0, 12.0, 14.0), (40.0, 34.0, 30.0)),
    RIGHT_KIDNEY: ((44.0, -38.0, -14.0), (15.0, 13.0, 26.0)),
    LEFT_KIDNEY: ((-46.0, -38.0, -8.0), (15.0, 13.0, 26.0)),
    SPLEEN: ((-72.0, -14.0, 16.0), (15.0, 20.0, 24.0)),
}
BODY_RADII_MM = (112.0, 74.0)
SPINE_MM = ((0.0, -52.0), 12.0)

# Raw values of air, soft tissue, organs and bone.
INTENSITIES = {"ct": (-1000.0, 40.0, 110.0, 700.0), "mri": (2.0, 150.0, 400.0, 60.0)}


def affine_of(codes: str, shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """An affine with these axis codes and the body's middle in the middle of the array."""
    direction = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, code in enumerate(codes):
        world, sign = direction[code]
        affine[world, axis] = sign * spacing_mm[axis]
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine


def patient(
    codes: str = "SPL",
    shape_spl: tuple[int, int, int] = (14, 56, 72),
    spacing_spl: tuple[float, float, float] = (8.0, 3.5, 3.5),
    domain: str = "ct",
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Volume:
    """The patient scanned with these axis codes; shape and spacing are given for slices, rows and columns."""
    place = {"S": 0, "I": 0, "P": 1, "A": 1, "L": 2, "R": 2}
    shape = tuple(shape_spl[place[code]] for code in codes)
    affine = affine_of(codes, shape, tuple(spacing_spl[place[code]] for code in codes))
    affine[:3, 3] += shift_mm
    index = np.stack(np.indices(shape), axis=-1)
    world = index @ affine[:3, :3].T + affine[:3, 3] - shift_mm
    labels = np.zeros(shape, np.uint8)
    for organ, (centre, radii) in ORGANS_MM.items():
        labels[(((world - centre) / radii) ** 2).sum(axis=-1) <= 1] = organ
    air, soft, bright, bone = INTENSITIES[domain]
    voxels = np.full(shape, air, np.float32)
    voxels[((world[..., :2] / BODY_RADII_MM) ** 2).sum(axis=-1) <= 1] = soft
    voxels[labels > 0] = bright
    spine_centre, spine_radius = SPINE_MM
    voxels[((world[..., :2] - spine_centre) ** 2).sum(axis=-1) <= spine_radius**2] = bone
    return Volume(voxels, affine, f"patient-{codes}", ABDOMEN.domain(domain), labels)


def dice(first: np.ndarray, second: np.ndarray) -> float:
    return 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))


def save_nifti(path: Path, array: np.ndarray, affine: np.ndarray) -> Path:
    """Writes with the library underneath alone, sform code 1 as most tools set it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(array, affine)
    image.set_sform(affine, code=1)
    nibabel.save(image, path)
    return path


def dicom_slice(
    pixels: np.ndarray,
    position_mm: tuple[float, float, float],
    directions: tuple[float, ...] = (1, 0, 0, 0, 1, 0),
    spacing_mm: tuple[float, float] = (2.0, 1.5),
    modality: str = "MR",
) -> pydicom.Dataset:
    """A slice with what an anonymised scan keeps; spacing is [between rows, between columns]."""
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = pydicom.uid.MRImageStorage
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    slice_ = pydicom.Dataset()
    slice_.file_meta = meta
    slice_.SOPClassUID = meta.MediaStorageSOPClassUID
    slice_.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    slice_.SeriesInstanceUID = pydicom.uid.generate_uid()
    slice_.Modality = modality
    slice_.SliceThickness = 3.2
    slice_.ImagePositionPatient = list(position_mm)
    slice_.ImageOrientationPatient = list(directions)
    slice_.PixelSpacing = list(spacing_mm)
    slice_.Rows, slice_.Columns = pixels.shape
    slice_.SamplesPerPixel, slice_.PhotometricInterpretation = 1, "MONOCHROME2"
    slice_.BitsAllocated, slice_.BitsStored, slice_.HighBit = 16, 16, 15
    slice_.PixelRepresentation = 1
    slice_.PixelData = pixels.astype("<i2").tobytes()
    return slice_


def save_series(folder: Path, slices: list[pydicom.Dataset], name: str = "IMG-0004-{:05d}.dcm") -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name.format(number) for number in range(1, len(slices) + 1)]
    for path, slice_ in zip(paths, slices, strict=True):
        slice_.save_as(path, enforce_file_format=True)
    return paths


@dataclasses.dataclass(frozen=True)
class Tools:
    """What the tests of this area share."""

    affine_of = staticmethod(affine_of)
    patient = staticmethod(patient)
    dice = staticmethod(dice)
    save_nifti = staticmethod(save_nifti)
    dicom_slice = staticmethod(dicom_slice)
    save_series = staticmethod(save_series)
    organs_mm = ORGANS_MM


@pytest.fixture(scope="session")
def tools() -> Tools:
    return Tools()


@pytest.fixture(scope="session")
def real() -> Path:
    if not REAL.is_dir():
        pytest.skip("the real scans (../shared/data/real beside the repository) are not on this machine")
    return REAL
