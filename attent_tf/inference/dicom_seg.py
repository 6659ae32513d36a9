"""Label maps as DICOM segmentations (SEG) that point to the series that they were made of.

Binary segments, one a structure, because that is the kind that viewers and archives read; frames without any are left out.
Structures are named by the codes of SNOMED CT that their task has, with the side as a modifier, as the tables of the DICOM
standard do (PS3.16, CID 7151).
"""

import dataclasses
import os
import warnings
from pathlib import Path

import numpy as np
import pydicom
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from attent_tf import __version__
from attent_tf.errors import InputError
from attent_tf.files import written_aside
from attent_tf.reporting.palette import rgb
from attent_tf.tasks import Domain, Structure, Task
from attent_tf.volumes.dicom_content import read_dicom
from attent_tf.volumes.dicom_objects import MANUFACTURER
from attent_tf.volumes.scan import scan_series

# Above the numbers that scanners give, so that a viewer lists the result after the scan.
_SERIES_NUMBER = 900

# What the standard requires in every file, empty if need be, and what anonymised series lack.
_MAY_BE_EMPTY = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
)
_REFERENCES = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")

# UTF-8.
_UNICODE = "ISO_IR 192"

_SIDES = {"left": codes.SCT.Left, "right": codes.SCT.Right}


@dataclasses.dataclass(frozen=True)
class SourceSeries:
    """What a segmentation refers to.

    Attributes:
      images: its files without their pixels: a slice each, or one enhanced multi-frame object.
      places: [slice] of each slice or frame in the order of `images`, its place in the stack that `read_scan` makes.
    """

    images: list[pydicom.Dataset]
    places: np.ndarray


def check_source_series(folder: str | os.PathLike, domain: Domain, series: str | None = None) -> SourceSeries:
    """Reads the headers of a series, and whether a segmentation can refer to them.

    Args:
      folder, domain, series: as `read_scan` takes them.

    Raises:
      InputError: it is no folder of DICOM slices, or the slices lack the identifiers that a reference needs.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(
            folder, "a folder of DICOM slices for --dicom-seg", "a file", "leave --dicom-seg out, or give the series"
        )
    headers = scan_series(folder, domain, series).headers
    paths = list(dict.fromkeys(header.path for header in headers))
    has_frames = any(header.frame is not None for header in headers)
    if has_frames and len(paths) > 1:
        expected = "one slice per file, or all in one object, for --dicom-seg"
        raise InputError(folder, expected, f"{len(paths)} multi-frame objects", "leave --dicom-seg out")
    step_mm = (headers[-1].height_mm - headers[0].height_mm) / max(1, len(headers) - 1)
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")
        images = [read_dicom(path, stop_before_pixels=True) for path in paths]
        _check_references(folder, paths, images)
        for image in images:
            for word in _MAY_BE_EMPTY:
                if word not in image:
                    setattr(image, word, "")
            measures = _shared_measures(image) if has_frames else image
            if not measures.get("SliceThickness"):
                measures.SliceThickness = round(step_mm, 4)
    places = np.argsort([header.frame for header in headers]) if has_frames else np.arange(len(headers))
    return SourceSeries(images, places)


def _check_references(folder: Path, paths: list[str], images: list[pydicom.Dataset]) -> None:
    for path, image in zip(paths, images, strict=True):
        missing = [word for word in _REFERENCES if not image.get(word)]
        if missing:
            advice = "leave --dicom-seg out, or correct the file"
            raise InputError(path, f"{missing[0]} for --dicom-seg to refer to", "none", advice)
    for word in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        different = {str(image[word].value) for image in images}
        if len(different) > 1:
            raise InputError(
                folder,
                f"one {word} for --dicom-seg to refer to",
                f"{len(different)} in {len(images)} slices",
                "leave --dicom-seg out, or give slices of one series the same one",
            )


def _shared_measures(image: pydicom.Dataset) -> pydicom.Dataset:
    """Puts what all frames have alike where highdicom looks for it; some scanners write it with each frame."""
    if not image.get("SharedFunctionalGroupsSequence"):
        image.SharedFunctionalGroupsSequence = [pydicom.Dataset()]
    shared, first = image.SharedFunctionalGroupsSequence[0], image.PerFrameFunctionalGroupsSequence[0]
    for keyword in ("PlaneOrientationSequence", "PixelMeasuresSequence"):
        if keyword not in shared:
            setattr(shared, keyword, first[keyword].value)
    return shared.PixelMeasuresSequence[0]


def write_dicom_seg(
    path: str | os.PathLike, labels: np.ndarray, source: SourceSeries, task: Task, device: str, description: str
) -> None:
    """Writes a label map as a DICOM segmentation, completely or not at all.

    Args:
      path: the file to write.
      labels: [column, row, slice] uint8 class indices on the voxels of the series, as `read_scan` orders them.
      source: from `check_source_series`.
      task: whose classes the labels are.
      device: stands as the serial number of the device: what tells one trained run from another.
      description: stands as the description of the series; at most 64 characters count.

    Raises:
      InputError: the series holds something that a segmentation cannot refer to.
    """
    # Takes a second, which only those shall wait for who ask for a segmentation.
    import highdicom

    algorithm = highdicom.AlgorithmIdentificationSequence(
        name="AttENT", family=codes.DCM.ArtificialIntelligence, version=__version__
    )
    # What the library warns about lies in the source series, and is copied as it is.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            content = highdicom.seg.Segmentation(
                source_images=source.images,
                pixel_array=np.ascontiguousarray(labels.T[source.places]),
                segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
                segment_descriptions=[
                    _segment(highdicom, number, structure, algorithm)
                    for number, structure in enumerate(task.structures, start=1)
                ],
                series_instance_uid=highdicom.UID(),
                series_number=_SERIES_NUMBER,
                series_description=description[:64],
                sop_instance_uid=highdicom.UID(),
                instance_number=1,
                manufacturer=MANUFACTURER,
                manufacturer_model_name="AttENT",
                software_versions=__version__,
                device_serial_number=device[:64],
                omit_empty_frames=bool(labels.any()),
                content_label="ORGANS",
                content_description=f"{task.title[:40]}; not for diagnosis",
            )
        except (AttributeError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise InputError(
                path, "a series that a segmentation can refer to", reason, "leave --dicom-seg out"
            ) from error
        if not "".join((task.title, *task.titles.values())).isascii():
            content.SpecificCharacterSet = _UNICODE
        with written_aside(path) as aside:
            content.save_as(aside, enforce_file_format=True)


def _segment(highdicom, number: int, structure: Structure, algorithm):
    kind = codes.SCT.AnatomicalStructure
    segment = highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=structure.title[:64],
        segmented_property_category=kind,
        # What has no code is called by its label alone.
        segmented_property_type=Code(structure.snomed, "SCT", structure.meaning) if structure.snomed else kind,
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm,
        display_color=highdicom.color.CIELabColor.from_rgb(*rgb(structure.colour)),
    )
    if structure.side:
        segment.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [
            highdicom.sr.CodedConcept.from_code(_SIDES[structure.side])
        ]
    return segment
