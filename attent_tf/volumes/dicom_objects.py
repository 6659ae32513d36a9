"""DICOM objects that are no slices of a scan: what they are, in words.

Exports hold them beside the slices: reports, structure sets, screenshots, segmentations. The standard tells them apart by their
SOP class (PS3.4, annex B.5); where that is missing, Modality says what it can.
"""

import pydicom
from pydicom.uid import UID

# Beginning or part of a class's keyword in pydicom's dictionary, and what it is called; the first that fits counts.
_KINDS = (
    ("DoseSR", "a dose report"),
    ("SRStorage", "a structured report"),
    ("KeyObject", "a key object note"),
    ("RTStructureSet", "a structure set"),
    ("RTDose", "a radiotherapy dose"),
    ("RTPlan", "a radiotherapy plan"),
    ("RTIonPlan", "a radiotherapy plan"),
    ("RTImage", "a radiotherapy image"),
    ("TreatmentRecord", "a treatment record"),
    ("PresentationState", "a presentation state"),
    ("EncapsulatedPDF", "an encapsulated PDF"),
    ("Encapsulated", "an encapsulated document"),
    ("Segmentation", "a segmentation object"),
    ("ParametricMap", "a parametric map"),
    ("Registration", "a registration"),
    ("SpatialFiducials", "a set of fiducials"),
    ("MRSpectroscopy", "a spectrum"),
    ("RawData", "raw data of the scanner"),
    ("Waveform", "a waveform"),
    ("RealWorldValueMapping", "a value mapping"),
    ("TractographyResults", "a tractogram"),
    ("MediaStorageDirectory", "a table of contents (DICOMDIR)"),
    ("ProcedureProtocol", "a protocol"),
)

# For files without a SOP class.
_KIND_OF_MODALITY = {
    "SR": "a structured report",
    "KO": "a key object note",
    "RTSTRUCT": "a structure set",
    "RTDOSE": "a radiotherapy dose",
    "RTPLAN": "a radiotherapy plan",
    "RTIMAGE": "a radiotherapy image",
    "RTRECORD": "a treatment record",
    "PR": "a presentation state",
    "DOC": "an encapsulated document",
    "SEG": "a segmentation object",
    "REG": "a registration",
    "FID": "a set of fiducials",
    "ECG": "a waveform",
}

# Stands in the objects that this library writes.
MANUFACTURER = "AttENT for TensorFlow"

_SCREENSHOT = "a screenshot (secondary capture)"


def kind_of_object(dataset: pydicom.Dataset) -> str | None:
    """Says what an object is that is no slice: "a structure set"; None for what may be a slice.

    Args:
      dataset: the elements of a file; pixels are not looked at.
    """
    sop_class = _sop_class(dataset)
    keyword = sop_class.keyword
    if "SecondaryCapture" in keyword:
        # Tools that cut or convert scans often store them so, with all that places a slice.
        return None if dataset.get("ImagePositionPatient") else _SCREENSHOT
    if keyword == "SegmentationStorage" and dataset.get("Manufacturer") == MANUFACTURER:
        return "a segmentation object that attent segment wrote"
    for part, kind in _KINDS:
        if part in keyword:
            return kind
    if not keyword:
        return _KIND_OF_MODALITY.get(str(dataset.get("Modality", "")).upper())
    if "Image" not in keyword and "Rows" not in dataset:
        return f"an object without pixels ({sop_class.name})"
    return None


def _sop_class(dataset: pydicom.Dataset) -> UID:
    """The SOP class as the file says it; empty for none. That of a private one has no keyword."""
    meta = getattr(dataset, "file_meta", None)
    written = dataset.get("SOPClassUID") or (meta.get("MediaStorageSOPClassUID") if meta else None)
    return UID(str(written or ""))
