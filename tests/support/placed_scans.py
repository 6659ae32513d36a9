"""A small CT that is placed by the forms a test gives, and what readers of either form make of a file."""

import itertools

import nibabel
import numpy as np
import pydicom
import pydicom.uid

SHAPE = (60, 50, 6)
STRAIGHT = np.array([[6.0, 0, 0, -177], [0, 6.0, 0, -147], [0, 0, 5.0, -12.5], [0, 0, 0, 1]])

# A gantry tilted by the angle of the triangle 3, 4, 5: columns of a slice run 4/5 to the front and 3/5 upwards, slices lie
# straight above one another.
# A voxel holds 6 × (6 × 4/5) × 5 = 144 mm³, where the product of the three distances is 180 mm³.
TILTED = np.array([[6.0, 0, 0, -177], [0, 4.8, 0, -147], [0, 3.6, 5.0, -12.5], [0, 0, 0, 1]])
TILTED_VOXEL_ML = 0.144


def ct_voxels(seed=0):
    """[i, j, k] int16: air, and a body of soft tissue and some bone."""
    rng = np.random.default_rng(seed)
    voxels = np.full(SHAPE, -1000.0)
    voxels[10:50, 10:40] = 60.0 + rng.normal(0, 60, (40, 30, SHAPE[2]))
    voxels[28:32, 14:18] = 700.0
    return np.rint(voxels).astype(np.int16)


def write_placed(path, voxels, sform=None, qform=None, codes=(1, 1)):
    """Writes a file with these forms, and code 0 for one that is not given; returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(voxels, None)
    for form, code, put in ((qform, codes[1], image.set_qform), (sform, codes[0], image.set_sform)):
        if form is not None:
            put(form, code)
    nibabel.save(image, path)
    return path


def corners_mm(affine, shape=SHAPE):
    """[8, 3] places of the eight corners."""
    places = np.array(list(itertools.product(*[(0, size - 1) for size in shape])))
    return places @ affine[:3, :3].T + affine[:3, 3]


def forms(path):
    """The sform and the qform of a file as readers get them; None for one that has no code."""
    image = nibabel.load(path)
    return image.get_sform(coded=True)[0], image.get_qform(coded=True)[0]


def write_tilted_series(folder, voxels):
    """Writes the CT as a series whose gantry is tilted as `TILTED` has it; returns the folder."""
    folder.mkdir(parents=True)
    series, frame = pydicom.uid.generate_uid(), pydicom.uid.generate_uid()
    # Of LPS, right and front are the negative sides: columns run to the right, rows to the front and up.
    directions = [-1, 0, 0, 0, -0.8, 0.6]
    for place in range(voxels.shape[2]):
        meta = pydicom.dataset.FileMetaDataset()
        meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = pydicom.uid.CTImageStorage
        meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        dataset = pydicom.Dataset()
        dataset.file_meta = meta
        dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = series, frame
        dataset.Modality = "CT"
        dataset.GantryDetectorTilt = "36.87"
        dataset.PixelSpacing, dataset.ImageOrientationPatient = [6, 6], directions
        dataset.ImagePositionPatient = [177, 147, -12.5 + 5 * place]
        dataset.Rows, dataset.Columns = voxels.shape[1], voxels.shape[0]
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0
        dataset.PixelData = np.ascontiguousarray(voxels[:, :, place].T.astype("<i2")).tobytes()
        dataset.save_as(folder / f"IM{place:04d}.dcm", enforce_file_format=True)
    return folder
