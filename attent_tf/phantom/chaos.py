"""MR subjects as CHAOS stores them: one DICOM file and one PNG of labels for each slice."""

import io
from pathlib import Path

import numpy as np
import PIL.Image

from attent_tf.files import write_bytes
from attent_tf.phantom.anatomy import make_anatomy
from attent_tf.phantom.appearance_mr import appearance_mr_t2spir
from attent_tf.phantom.canvas import rotation
from attent_tf.phantom.malbcv import interleaved
from attent_tf.phantom.scanner import ScanGrid, slice_centres
from attent_tf.phantom.spin_echo import ECHO_TRAIN, SpinEchoSequence
from attent_tf.phantom.tissues import chaos_greys

_TEST = (1, 13, 32, 38)
_TRAIN = (2, 3, 5, 8, 10, 15, 19, 20, 21, 22, 31, 33, 34, 36, 37, 39)
_BEYOND = 41
_SIZE = 256
_MR_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.4"
_EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_RAS_TO_LPS = np.array([-1.0, -1.0, 1.0])


def chaos_numbers(subjects: int) -> list[int]:
    """Returns the numbers of the first `subjects` MR subjects."""
    return interleaved(_TEST, _TRAIN, subjects, _BEYOND)


def write_chaos_subject(folder: Path, number: int, rng: np.random.Generator) -> None:
    """Writes `Train_Sets/MR/<number>/T2SPIR/{DICOM_anon,Ground}` below `folder`."""
    anatomy_rng, scan_rng, look_rng = rng.spawn(3)
    anatomy = make_anatomy(anatomy_rng)
    grid = _draw_grid(anatomy, scan_rng)
    tissues = grid.paint(anatomy)
    sequence = SpinEchoSequence.draw(look_rng)
    image = appearance_mr_t2spir(tissues, grid, look_rng, sequence)
    greys = chaos_greys(slice_centres(tissues))

    series = folder / "Train_Sets" / "MR" / str(number) / "T2SPIR"
    series_number = int(scan_rng.integers(2, 40))
    order = list(range(len(image)))
    if scan_rng.random() < 0.5:
        order.reverse()
    data = _draw_series(number, grid, sequence, scan_rng)
    # Some anonymisers give every slice a series of its own.
    one_series = scan_rng.random() < 0.75
    series_uid = _uid(scan_rng)
    for instance, index in enumerate(order, start=1):
        stem = f"IMG-{series_number:04d}-{instance:05d}"
        position_mm = (grid.affine @ (index, 0, 0, 1))[:3]
        series_uid = series_uid if one_series else _uid(scan_rng)
        content = _slice_file(data, image[index], position_mm, instance, series_uid, _uid(scan_rng))
        write_bytes(series / "DICOM_anon" / f"{stem}.dcm", content)
        write_bytes(series / "Ground" / f"{stem}.png", _png(greys[index]))


def _draw_grid(anatomy, rng: np.random.Generator) -> ScanGrid:
    side, front, back = anatomy.torso.outer_mm
    pixel_mm = round(float(np.clip(max(rng.uniform(1.4, 1.75), (2 * side + 24) / _SIZE), 1.4, 1.8)), 4)
    step_mm = round(float(rng.uniform(6.0, 9.0)), 2)
    slices = int(np.clip(np.ceil(rng.uniform(215, 245) / step_mm), 26, 36))
    middle = anatomy.torso.dome_mm + rng.uniform(2, 14) - (slices - 1) * step_mm / 2
    centre = (rng.uniform(-4, 4), (front - back) / 2 + rng.uniform(-5, 5), middle)
    to_scanner = np.eye(4)
    if rng.random() < 0.5:
        tilt = rng.uniform(-4, 4, 2)
        to_scanner[:3, :3] = rotation("x", tilt[0]) @ rotation("z", tilt[1])
    to_scanner[:3, 3] = np.round(rng.uniform((-12, -25, -60), (12, 25, 60)), 2)
    return ScanGrid.centred((slices, _SIZE, _SIZE), (step_mm, pixel_mm, pixel_mm), centre, to_scanner)


def _uid(rng: np.random.Generator) -> str:
    return f"2.25.{int.from_bytes(rng.bytes(15), 'big')}"


def _draw_series(number: int, grid: ScanGrid, sequence: SpinEchoSequence, rng: np.random.Generator):
    """Returns a DICOM data set with what the slices of a series share, some of CHAOS's irregularities among it."""
    from pydicom.dataset import Dataset

    affine = grid.affine
    steps = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    across, down = steps[:, 2] * _RAS_TO_LPS, steps[:, 1] * _RAS_TO_LPS
    step_mm = float(grid.z_mm[1] - grid.z_mm[0])

    data = Dataset()
    data.ImageType = ["ORIGINAL", "PRIMARY", "M_SE", "M", "SE"]
    data.SOPClassUID = _MR_IMAGE_STORAGE
    data.StudyDate = data.StudyTime = data.AccessionNumber = ""
    data.Modality = "MR"
    data.Manufacturer = "AttENT phantom"
    data.ReferringPhysicianName = ""
    data.SeriesDescription = "T2W_SPIR (synthetic)"
    data.PatientName = ""
    data.PatientID = f"PHANTOM-{number}"
    data.PatientBirthDate = data.PatientSex = ""
    data.PatientIdentityRemoved = "YES"
    data.DeidentificationMethod = "Synthetic data: there is no patient"
    data.ScanningSequence = "SE"
    data.SequenceVariant = "SK"
    data.ScanOptions = "FS"
    data.MRAcquisitionType = "2D"
    # Slices have gaps: the thickness is not the step.
    data.SliceThickness = f"{step_mm * rng.uniform(0.72, 0.92):.2f}"
    data.SpacingBetweenSlices = f"{step_mm:.2f}"
    data.RepetitionTime = f"{sequence.repetition_ms:.1f}"
    data.EchoTime = f"{sequence.echo_ms:.1f}"
    data.EchoTrainLength = ECHO_TRAIN
    data.MagneticFieldStrength = "1.5"
    data.PatientPosition = "HFS"
    data.StudyInstanceUID = _uid(rng)
    data.StudyID = ""
    data.SeriesNumber = 1
    data.FrameOfReferenceUID = _uid(rng)
    data.PositionReferenceIndicator = ""
    data.ImageOrientationPatient = [f"{v:.8f}" for v in (*across, *down)]
    data.PixelSpacing = [f"{abs(axis[1] - axis[0]):.4f}" for axis in (grid.y_mm, grid.x_mm)]
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.Rows, data.Columns = len(grid.y_mm), len(grid.x_mm)
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.PixelRepresentation = 0
    if rng.random() < 0.4:
        data.RescaleIntercept, data.RescaleSlope, data.RescaleType = "0", "1", "normalized"
    return data


def _slice_file(data, pixels: np.ndarray, position_mm: np.ndarray, instance: int, series_uid: str, uid: str) -> bytes:
    """Returns one slice as a DICOM file (MR Image Storage, explicit little endian).

    Args:
      data: what the series shares.
      pixels: [row, column] uint16.
      position_mm: (x, y, z) of the first pixel in scanner millimetres (RAS+).
      instance: number of the slice in the order of the file names.
      series_uid, uid: of the series and of the slice.
    """
    from pydicom.dataset import FileMetaDataset
    from pydicom.filewriter import dcmwrite

    low, high = (int(v) for v in np.percentile(pixels, (1, 99)))
    data.SOPInstanceUID = uid
    data.SeriesInstanceUID = series_uid
    data.InstanceNumber = instance
    data.ImagePositionPatient = [f"{v:.6f}" for v in position_mm * _RAS_TO_LPS]
    data.WindowCenter, data.WindowWidth = str((low + high) // 2), str(max(high - low, 1))
    data.PixelData = np.ascontiguousarray(pixels, "<u2").tobytes()
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = _MR_IMAGE_STORAGE
    data.file_meta.MediaStorageSOPInstanceUID = uid
    data.file_meta.TransferSyntaxUID = _EXPLICIT_LITTLE_ENDIAN
    stream = io.BytesIO()
    dcmwrite(stream, data, enforce_file_format=True)
    return stream.getvalue()


def _uid(rng: np.random.Generator) -> str:
    return f"2.25.{int.from_bytes(rng.bytes(15), 'big')}"


def _png(greys: np.ndarray) -> bytes:
    stream = io.BytesIO()
    PIL.Image.fromarray(greys).save(stream, "PNG")
    return stream.getvalue()
