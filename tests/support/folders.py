"""Small data folders in the layouts of CHAOS and MALBCV: a body of a few blobs, every patient different."""

import nibabel
import nibabel.orientations as orientations
import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

# Equal to the pixels of the data, so that the way onto the record grid copies voxels.
PIXEL_MM = 2.0
SIZE = 144
SLICES = 6

# Class index -> centre and half axes in millimetres, RAS+: liver and right kidney at positive x.
ORGANS = {
    1: ((65, 20, 0), (45, 40, 30)),
    2: ((50, -45, 0), (18, 18, 12)),
    3: ((-50, -45, 0), (18, 18, 12)),
    4: ((-85, -5, 0), (22, 28, 20)),
}
_GREY = {0: 0, 1: 63, 2: 126, 3: 189, 4: 252}
_MALBCV = {0: 0, 1: 6, 2: 2, 3: 3, 4: 1}
# CT slice 0, the lowest, shows only air: as below a phantom's end, and for the rule `body`.
CT_ORIENTATIONS = ("LAS", "RPI", "ASL")


def _patient(seed: int, step_mm: float, air_below: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns [x, y, z] class indices, [x, y, z] tissue (0 air, 1 body, 2... organs) and the RAS+ affine."""
    rng = np.random.default_rng(seed)
    shape = (140, 100, SLICES)
    affine = np.diag([PIXEL_MM, PIXEL_MM, step_mm, 1.0])
    affine[:3, 3] = [-139.0, -99.0, -step_mm * (SLICES - 1) / 2]
    x, y, z = (
        affine[axis, axis] * np.arange(length).reshape([-1 if a == axis else 1 for a in range(3)]) + affine[axis, 3]
        for axis, length in enumerate(shape)
    )
    labels = np.zeros(shape, np.uint8)
    for organ, (centre, half) in ORGANS.items():
        cx, cy, cz = np.array(centre) + rng.uniform(-4, 4, 3)
        labels[((x - cx) / half[0]) ** 2 + ((y - cy) / half[1]) ** 2 + ((z - cz) / half[2]) ** 2 < 1] = organ
    body = np.broadcast_to((x / 125) ** 2 + (y / 85) ** 2 < 1, shape).copy()
    if air_below:
        body[..., 0] = False
        labels[..., 0] = 0
    return labels, np.where(labels > 0, labels + 1, body).astype(np.uint8), affine


def _intensities(tissue: np.ndarray, levels: tuple[float, ...], noise: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng([seed, 1])
    return np.rint(np.array(levels)[tissue] + rng.normal(0, noise, tissue.shape))


def write_ct(root, number: int, codes: str, labelled: bool = True) -> None:
    """Writes one MALBCV case, stored with the given axis codes."""
    labels, tissue, affine = _patient(number, step_mm=5.0, air_below=True)
    voxels = _intensities(tissue, (-1000, 40, 110, 190, 185, 120), 10, number).astype(np.int16)
    images = [("img", voxels)]
    if labelled:
        images.append(("label", np.array([_MALBCV[i] for i in range(5)], np.uint8)[labels]))
    for kind, array in images:
        folder = root / "RawData" / "Training" / kind
        folder.mkdir(parents=True, exist_ok=True)
        turn = orientations.ornt_transform(orientations.axcodes2ornt("RAS"), orientations.axcodes2ornt(tuple(codes)))
        image = nibabel.Nifti1Image(array, affine).as_reoriented(turn)
        image.set_sform(image.affine, code=1)
        image.set_qform(image.affine, code=1)
        nibabel.save(image, folder / f"{kind}{number:04d}.nii.gz")


def write_mr(root, number: int, upwards: bool) -> None:
    """Writes one CHAOS patient; file names run upwards or downwards along the patient."""
    labels, tissue, affine = _patient(100 + number, step_mm=7.0, air_below=False)
    voxels = _intensities(tissue, (8, 180, 320, 700, 690, 520), 4, number).clip(0).astype(np.uint16)
    series = root / "Train_Sets" / "MR" / str(number) / "T2SPIR"
    for folder in ("DICOM_anon", "Ground"):
        (series / folder).mkdir(parents=True)
    order = range(SLICES) if upwards else reversed(range(SLICES))
    for rank, z in enumerate(order, start=1):
        stem = f"IMG-{number:04d}-{rank:05d}"
        # DICOM rows run front to back and columns right to left: both against RAS+.
        pixels, grey = (array[::-1, ::-1, z].T for array in (voxels, labels))
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = MRImageStorage
        meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.{number}.{rank}"
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        scan = pydicom.Dataset()
        scan.file_meta = meta
        scan.SOPClassUID = meta.MediaStorageSOPClassUID
        scan.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
        scan.Modality = "MR"
        scan.Rows, scan.Columns = pixels.shape
        scan.PixelSpacing = [PIXEL_MM, PIXEL_MM]
        scan.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        right, front, height = affine[:3, :3] @ [139, 99, z] + affine[:3, 3]
        scan.ImagePositionPatient = [-right, -front, height]
        scan.SamplesPerPixel, scan.PhotometricInterpretation = 1, "MONOCHROME2"
        scan.BitsAllocated, scan.BitsStored, scan.HighBit, scan.PixelRepresentation = 16, 12, 11, 0
        scan.PixelData = np.ascontiguousarray(pixels).tobytes()
        scan.save_as(series / "DICOM_anon" / f"{stem}.dcm", enforce_file_format=True)
        table = np.array([_GREY[i] for i in range(5)], np.uint8)
        Image.fromarray(table[np.ascontiguousarray(grey)]).save(series / "Ground" / f"{stem}.png")
