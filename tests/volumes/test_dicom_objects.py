"""DICOM objects that are no slices: left out beside a scan, named where they are all there is."""

import numpy as np
import pydicom.uid
import pytest

from attent_tf.errors import InputError
from attent_tf.volumes import read_scan
from attent_tf.volumes.dicom_objects import MANUFACTURER
from tests.support.abdomen import CT
from tests.support.dicom_folders import UID, body, write_object, write_report, write_screenshot, write_series

VOXELS = body(4)

OBJECTS = [
    ("RTStructureSetStorage", "RTSTRUCT", "a structure set"),
    ("RTDoseStorage", "RTDOSE", "a radiotherapy dose"),
    ("RTPlanStorage", "RTPLAN", "a radiotherapy plan"),
    ("RTIonPlanStorage", "RTPLAN", "a radiotherapy plan"),
    ("XRayRadiationDoseSRStorage", "SR", "a dose report"),
    ("EnhancedSRStorage", "SR", "a structured report"),
    ("Comprehensive3DSRStorage", "SR", "a structured report"),
    ("KeyObjectSelectionDocumentStorage", "KO", "a key object note"),
    ("GrayscaleSoftcopyPresentationStateStorage", "PR", "a presentation state"),
    ("SecondaryCaptureImageStorage", "CT", r"a screenshot \(secondary capture\)"),
    ("MultiFrameTrueColorSecondaryCaptureImageStorage", "OT", r"a screenshot \(secondary capture\)"),
    ("SegmentationStorage", "SEG", "a segmentation object"),
    ("SurfaceSegmentationStorage", "SEG", "a segmentation object"),
    ("EncapsulatedPDFStorage", "DOC", "an encapsulated PDF"),
    ("SpatialRegistrationStorage", "REG", "a registration"),
    ("RawDataStorage", "MR", "raw data of the scanner"),
    ("MediaStorageDirectoryStorage", "", r"a table of contents \(DICOMDIR\)"),
    ("HangingProtocolStorage", "", r"an object without pixels \(Hanging Protocol Storage\)"),
]


@pytest.mark.parametrize(("keyword", "modality", "kind"), OBJECTS)
def test_each_kind_is_said(tmp_path, keyword, modality, kind):
    path = write_object(tmp_path / "object.dcm", getattr(pydicom.uid, keyword), modality)
    expected = f"object.dcm: expected slices of a scan, found {kind}; give the folder of the series itself"
    with pytest.raises(InputError, match=expected):
        read_scan(tmp_path, CT)
    write_series(tmp_path, VOXELS)
    volume = read_scan(tmp_path, CT)
    np.testing.assert_array_equal(volume.voxels, VOXELS.transpose(2, 1, 0))
    kind = kind.replace("\\", "")
    assert volume.warnings == (f"{tmp_path}: left out 1 file that is no slice of the scan: {path.name} ({kind})",)


@pytest.mark.parametrize(("modality", "kind"), [("SR", "a structured report"), ("RTSTRUCT", "a structure set")])
def test_without_a_class_the_modality_tells(tmp_path, modality, kind):
    path = write_object(tmp_path / "object.dcm", pydicom.uid.CTImageStorage, modality)
    dataset = pydicom.dcmread(path)
    del dataset.SOPClassUID, dataset.file_meta.MediaStorageSOPClassUID
    dataset.save_as(path)
    with pytest.raises(InputError, match=f"found {kind}"):
        read_scan(tmp_path, CT)


def test_the_librarys_own_segmentation_is_known(tmp_path):
    write_object(tmp_path / "labels_seg.dcm", pydicom.uid.SegmentationStorage, "SEG", Manufacturer=MANUFACTURER)
    with pytest.raises(InputError, match=r"labels_seg\.dcm: .* found a segmentation object that attent segment wrote"):
        read_scan(tmp_path, CT)


def test_a_folder_of_nothing_but_objects_is_one_line_for_all(tmp_path):
    write_report(tmp_path / "SR1.dcm")
    write_report(tmp_path / "SR2.dcm")
    write_screenshot(tmp_path / "dose.dcm")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError) as caught:
        read_scan(tmp_path, CT)
    assert str(caught.value) == (
        f"{tmp_path}: expected slices of a scan, found 2 such as SR1.dcm (a dose report), "
        "dose.dcm (a screenshot (secondary capture)); give the folder of the series itself"
    )


def test_objects_are_no_series_to_choose_from(tmp_path):
    write_series(tmp_path, VOXELS)
    write_report(tmp_path / "SR.dcm")
    with pytest.raises(InputError, match="found 1 series"):
        read_scan(tmp_path, CT, series=UID + "900")


def test_a_converted_scan_of_secondary_captures_is_a_scan(tmp_path):
    def capture(one, _):
        one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = pydicom.uid.SecondaryCaptureImageStorage

    write_series(tmp_path, VOXELS, edit=capture)
    np.testing.assert_array_equal(read_scan(tmp_path, CT).voxels, VOXELS.transpose(2, 1, 0))
