"""What the segments of a DICOM segmentation are called, for tasks that have codes and for others."""

import dataclasses

import numpy as np
import pydicom
import pytest

from attent_tf.inference.dicom_seg import check_source_series, write_dicom_seg
from attent_tf.tasks import task_from_mapping
from tests.support.abdomen import ABDOMEN, CT
from tests.support.dicom_folders import body, write_series

MIXED = task_from_mapping(
    {
        "name": "mixed",
        "title": "Heart and more",
        "structures": {
            "left_atrium": {"snomed": "82471001", "meaning": "Left atrium", "colour": "#ff0000"},
            "lump": {"title": "Some lump", "side": "left"},
        },
        "domains": {"a": "ct", "b": "ct"},
    },
    "mixed",
)


def _written(tmp_path, task):
    def identified(dataset, _):
        dataset.StudyInstanceUID, dataset.FrameOfReferenceUID = "1.2.3", "1.2.4"
        dataset.SpecificCharacterSet, dataset.PatientName = "ISO_IR 100", "Müller"

    write_series(tmp_path / "series", body(3), edit=identified)
    source = check_source_series(tmp_path / "series", CT)
    labels = np.zeros((60, 50, 3), np.uint8)
    for index in range(1, task.num_classes):
        labels[20 + index, 20, 1] = index
    write_dicom_seg(tmp_path / "seg.dcm", labels, source, task, "device", "description")
    return pydicom.dcmread(tmp_path / "seg.dcm")


def _code(sequence):
    (code,) = sequence
    return code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning


def _segments(content):
    found = []
    for segment in content.SegmentSequence:
        (kind,) = segment.SegmentedPropertyTypeCodeSequence
        sides = kind.get("SegmentedPropertyTypeModifierCodeSequence")
        category = _code(segment.SegmentedPropertyCategoryCodeSequence)
        named = (segment.SegmentNumber, segment.SegmentLabel, _code([kind]), sides and _code(sides))
        assert category == ("91723000", "SCT", "Anatomical Structure")
        found.append(named)
    return found


def test_structures_of_the_abdomen_have_the_codes_of_the_standard(tmp_path):
    content = _written(tmp_path, ABDOMEN)
    kidney = ("64033007", "SCT", "Kidney")
    assert _segments(content) == [
        (1, "Liver", ("10200004", "SCT", "Liver"), None),
        (2, "Right kidney", kidney, ("24028007", "SCT", "Right")),
        (3, "Left kidney", kidney, ("7771000", "SCT", "Left")),
        (4, "Spleen", ("78961009", "SCT", "Spleen"), None),
    ]
    assert content.ContentDescription == "Abdominal organs; not for diagnosis"
    assert str(content.PatientName) == "Müller"


def test_what_has_no_code_is_an_anatomical_structure_of_its_title(tmp_path):
    content = _written(tmp_path, MIXED)
    assert _segments(content) == [
        (1, "Left atrium", ("82471001", "SCT", "Left atrium"), None),
        (2, "Some lump", ("91723000", "SCT", "Anatomical Structure"), ("7771000", "SCT", "Left")),
    ]
    # CIELab of #ff0000: L 53.24, a 80.09, b 67.20, as unsigned shares of 100 and of -128 to 127.
    shares = np.array(content.SegmentSequence[0].RecommendedDisplayCIELabValue) / 65535
    np.testing.assert_allclose(shares * [100, 255, 255] - [0, 128, 128], [53.24, 80.09, 67.2], atol=0.3)
    assert (
        content.SegmentSequence[0].RecommendedDisplayCIELabValue
        != content.SegmentSequence[1].RecommendedDisplayCIELabValue
    )


def test_titles_of_any_script_and_the_patients_name_come_back(tmp_path):
    structure = dataclasses.replace(MIXED.structures[1], title="Läsion 肝")
    content = _written(tmp_path, dataclasses.replace(MIXED, title="Hörnerv", structures=(structure,)))
    assert content.SegmentSequence[0].SegmentLabel == "Läsion 肝"
    assert content.ContentDescription == "Hörnerv; not for diagnosis"
    assert str(content.PatientName) == "Müller"


@pytest.mark.parametrize("letters", [64, 80])
def test_long_titles_fit_the_standard(letters, tmp_path):
    structure = dataclasses.replace(MIXED.structures[1], title="x" * letters)
    content = _written(tmp_path, dataclasses.replace(MIXED, title="t" * letters, structures=(structure,)))
    assert content.SegmentSequence[0].SegmentLabel == "x" * 64
    assert len(content.ContentDescription) <= 64
