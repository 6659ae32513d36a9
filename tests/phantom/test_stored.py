"""What is stored: valid DICOM and NIfTI that read back, with labels where the organs are."""

import gzip

import nibabel
import numpy as np
import PIL.Image
import pydicom
import pytest

from attent_tf.datasets import find_cases, read_case
from attent_tf.volumes import check_anatomy
from tests.support.abdomen import ABDOMEN, LEFT_KIDNEY, LIVER, RIGHT_KIDNEY, SPLEEN

# Attributes that the MR Image information object requires to be present (types 1 and 2).
REQUIRED = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
    "Modality",
    "SeriesInstanceUID",
    "SeriesNumber",
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "Manufacturer",
    "InstanceNumber",
    "PixelSpacing",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "SliceThickness",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
    "ImageType",
    "ScanningSequence",
    "SequenceVariant",
    "ScanOptions",
    "MRAcquisitionType",
    "EchoTime",
    "RepetitionTime",
    "EchoTrainLength",
    "PatientPosition",
    "SOPClassUID",
    "SOPInstanceUID",
)


@pytest.fixture(scope="module")
def slices(phantom_folder):
    folder = phantom_folder / "chaos" / "Train_Sets" / "MR" / "1" / "T2SPIR" / "DICOM_anon"
    return [pydicom.dcmread(path) for path in sorted(folder.iterdir())]


@pytest.fixture(scope="module")
def greys(phantom_folder):
    folder = phantom_folder / "chaos" / "Train_Sets" / "MR" / "1" / "T2SPIR" / "Ground"
    return np.stack([np.asarray(PIL.Image.open(path)) for path in sorted(folder.iterdir())])


@pytest.fixture(scope="module")
def mr(phantom_folder):
    return read_case(find_cases(phantom_folder / "chaos", ABDOMEN, "mri")[0])


@pytest.fixture(scope="module")
def ct(phantom_folder):
    return read_case(find_cases(phantom_folder / "malbcv", ABDOMEN, "ct")[0])


def test_dicom_has_what_mr_images_require(slices):
    for data in slices:
        assert [name for name in REQUIRED if name not in data] == []
        assert data.file_meta.MediaStorageSOPInstanceUID == data.SOPInstanceUID
        assert data.SOPClassUID == pydicom.uid.MRImageStorage
        assert data.SOPInstanceUID.is_valid
    assert len({data.SOPInstanceUID for data in slices}) == len(slices)


def test_dicom_names_no_patient(slices):
    assert all(data.PatientName == "" and data.PatientBirthDate == "" and data.StudyDate == "" for data in slices)


def test_dicom_pixels_are_12_bit(slices):
    for data in slices:
        assert (data.BitsAllocated, data.BitsStored, data.HighBit) == (16, 12, 11)
        assert data.pixel_array.shape == (256, 256)
        assert data.pixel_array.max() <= 4095
    assert max(data.pixel_array.max() for data in slices) > 200


def test_dicom_positions_are_even_along_the_normal(slices):
    across, down = np.reshape([float(v) for v in slices[0].ImageOrientationPatient], (2, 3))
    assert abs(across @ down) < 1e-6
    np.testing.assert_allclose([np.linalg.norm(across), np.linalg.norm(down)], 1, atol=1e-6)
    positions = np.array([[float(v) for v in data.ImagePositionPatient] for data in slices])
    steps = np.diff(positions, axis=0)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape), atol=1e-4)
    along = steps @ np.cross(across, down)
    np.testing.assert_allclose(np.abs(along), float(slices[0].SpacingBetweenSlices), atol=0.011)
    np.testing.assert_allclose(np.linalg.norm(steps, axis=1), np.abs(along), atol=1e-4)
    assert float(slices[0].SliceThickness) < 0.95 * abs(along[0])
    assert [data.InstanceNumber for data in slices] == list(range(1, len(slices) + 1))


def test_png_greys_are_those_of_chaos_on_the_rows_of_the_dicom(slices, greys):
    assert set(np.unique(greys)) == {0, 63, 126, 189, 252}
    pixels = np.stack([data.pixel_array for data in slices]).astype(float)
    # Organs of the label are bright where they should be: label and image rows run alike.
    liver, spleen = pixels[greys == 63].mean(), pixels[greys == 252].mean()
    flipped = pixels[:, ::-1]
    assert spleen > 1.3 * liver
    assert flipped[greys == 126].mean() < 0.6 * pixels[greys == 126].mean()


def test_mr_reads_back_with_equal_labels_and_pixels(mr, slices, greys):
    codes = {63: LIVER, 126: RIGHT_KIDNEY, 189: LEFT_KIDNEY, 252: SPLEEN}
    assert mr.case == "chaos-1"
    for grey, code in codes.items():
        assert np.count_nonzero(mr.labels == code) == np.count_nonzero(greys == grey)
    pixels = np.stack([data.pixel_array for data in slices])
    assert np.sum(mr.voxels) == pytest.approx(np.sum(pixels, dtype=float))
    voxel_mm3 = np.prod(mr.spacing_mm)
    assert 1200 < np.count_nonzero(mr.labels == LIVER) * voxel_mm3 / 1000 < 1900


def test_ct_reads_back_with_equal_labels(ct, phantom_folder):
    stored = nibabel.load(phantom_folder / "malbcv/RawData/Training/label/label0001.nii.gz")
    labels = np.asarray(stored.dataobj)
    assert ct.case == "malbcv-0001"
    assert {1, 2, 3, 4, 6, 7, 8, 9} <= set(np.unique(labels)) <= set(range(14))
    for number, code in {6: LIVER, 2: RIGHT_KIDNEY, 3: LEFT_KIDNEY, 1: SPLEEN}.items():
        np.testing.assert_array_equal(ct.labels == code, labels == number)


def test_anatomy_holds_by_the_stored_affines(mr, ct):
    check_anatomy(mr, ABDOMEN)
    check_anatomy(ct, ABDOMEN)


def test_nifti_headers_say_where_the_scan_is(phantom_folder):
    image = nibabel.load(phantom_folder / "malbcv/RawData/Training/img/img0001.nii.gz")
    label = nibabel.load(phantom_folder / "malbcv/RawData/Training/label/label0001.nii.gz")
    for stored in (image, label):
        assert (int(stored.header["sform_code"]), int(stored.header["qform_code"])) == (1, 1)
        np.testing.assert_allclose(stored.get_qform(), stored.get_sform(), atol=1e-2)
        assert nibabel.aff2axcodes(stored.affine) in {tuple("LAS"), tuple("LPS"), tuple("RAS")}
    np.testing.assert_array_equal(image.affine, label.affine)
    assert image.get_data_dtype() == np.int16
    assert label.get_data_dtype() == np.uint8
    assert image.shape[:2] == (320, 320)
    assert 50 <= image.shape[2] <= 65
    assert image.header.get_zooms()[2] == 5.0


def test_compressed_files_carry_no_time(phantom_folder):
    for path in (phantom_folder / "malbcv").rglob("*.nii.gz"):
        with gzip.open(path) as stream:
            stream.read(1)
            assert stream.mtime == 0


def test_labels_lie_on_tissue_of_their_own_contrast(ct):
    values = {code: np.median(ct.voxels[ct.labels == code]) for code in (LIVER, RIGHT_KIDNEY, LEFT_KIDNEY, SPLEEN)}
    assert 70 < values[LIVER] < 150
    assert values[RIGHT_KIDNEY] > values[LIVER]
    assert values[LEFT_KIDNEY] > values[LIVER]
    assert 85 < values[SPLEEN] < 155
    for code in values:
        assert ct.voxels[ct.labels == code].std() < 60
