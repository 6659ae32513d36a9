"""The layout of CHAOS: `Train_Sets/MR/<patient>/T2SPIR/{DICOM_anon/*.dcm, Ground/*.png}`.

The order of slices is that of the file names. PNG rows run like the rows of the DICOM pixel array, and PNG grey values
stand for bins, not for themselves.
"""

import os
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from attent_tf.errors import InputError
from attent_tf.organs import LEFT_KIDNEY, LIVER, RIGHT_KIDNEY, SPLEEN
from attent_tf.volumes.cases import CaseFiles, natural_key, visible_files, visible_folders
from attent_tf.volumes.dicom import read_slice, stack_slices
from attent_tf.volumes.nifti import shown_values
from attent_tf.volumes.volume import Volume

# Organ -> (above, up to and including) in grey values.
GREY_BINS = {LIVER: (55, 70), RIGHT_KIDNEY: (110, 135), LEFT_KIDNEY: (175, 200), SPLEEN: (240, 255)}

_NO_CLASS = 255
_SEQUENCE = "T2SPIR"


def find_mr_folder(root: Path) -> Path | None:
    """The folder of patients, if `root` is it, holds it or holds `Train_Sets`."""
    for folder in (root / "Train_Sets" / "MR", root / "MR"):
        if folder.is_dir():
            return folder
    patients = visible_folders(root)
    if patients and (root.name == "MR" or any((patient / _SEQUENCE).is_dir() for patient in patients)):
        return root
    return None


def find_chaos_cases(mr_folder: Path, domain: str) -> list[CaseFiles]:
    """Cases of the T2-SPIR sequence in the order of patients; where no patient has `Ground`, they are unlabelled."""
    if domain != "mri":
        raise InputError(
            f"{mr_folder}: expected a folder of domain {domain}, found the MR part of CHAOS; give it as mri"
        )
    patients = visible_folders(mr_folder)
    if not patients:
        raise InputError(f"{mr_folder}: expected a folder for each patient, found none; unpack CHAOS again")
    for patient in patients:
        if not (patient / _SEQUENCE / "DICOM_anon").is_dir():
            raise InputError(
                f"{patient}: expected {_SEQUENCE}/DICOM_anon in the patient's folder, found none; unpack CHAOS again "
                "or remove the folder"
            )
    labelled = any((patient / _SEQUENCE / "Ground").is_dir() for patient in patients)
    return [_patient_files(patient, domain, labelled) for patient in patients]


def read_chaos_case(files: CaseFiles) -> Volume:
    """Reads DICOM slices in the order of `files.images`, and the PNG that goes with each."""
    slices = [read_slice(path, files.domain) for path in files.images]
    voxels, affine = stack_slices(slices, files.case)
    if not files.labels:
        return Volume(voxels, affine, files.case, files.domain)
    labels = np.stack(
        [_read_ground(path, one.pixels.shape).T for path, one in zip(files.labels, slices, strict=True)], -1
    )
    return Volume(voxels, affine, files.case, files.domain, labels)


def classes_of_grey(grey: np.ndarray, path: str | os.PathLike) -> np.ndarray:
    """Grey values 0..255 of any shape to uint8 class indices by the bins of CHAOS.

    Raises:
      InputError: a value is neither background (0) nor in a bin; names `path` and the values.
    """
    table = np.full(256, _NO_CLASS, np.uint8)
    table[0] = 0
    for organ, (above, last) in GREY_BINS.items():
        table[above + 1 : last + 1] = organ
    labels = table[grey]
    if (labels == _NO_CLASS).any():
        bins = ", ".join(f"({above}, {last}]" for above, last in GREY_BINS.values())
        raise InputError(
            f"{path}: expected grey values 0 or in {bins}, found {shown_values(grey[labels == _NO_CLASS])}; "
            "unpack CHAOS again"
        )
    return labels


def _patient_files(patient: Path, domain: str, labelled: bool) -> CaseFiles:
    sequence = patient / _SEQUENCE
    images = {path.stem: path for path in visible_files(sequence / "DICOM_anon") if path.suffix.lower() == ".dcm"}
    if not images:
        raise InputError(f"{sequence / 'DICOM_anon'}: expected DICOM slices (*.dcm), found none; unpack CHAOS again")
    ground = sequence / "Ground"
    if labelled and not ground.is_dir():
        raise InputError(
            f"{patient}: expected {_SEQUENCE}/Ground, as other patients have it, found none; unpack it again"
        )
    labels = {path.stem: path for path in visible_files(ground) if path.suffix.lower() == ".png"} if labelled else {}
    if labelled:
        for name, one, others, what in (
            ("DICOM_anon", images, labels, "PNG of the same name in Ground"),
            ("Ground", labels, images, "DICOM slice of the same name in DICOM_anon"),
        ):
            alone = sorted(one.keys() - others.keys(), key=natural_key)
            if alone:
                raise InputError(
                    f"{one[alone[0]]}: expected a {what}, found none for {len(alone)} of the files in {name}; "
                    "unpack CHAOS again"
                )
    order = sorted(images, key=natural_key)
    return CaseFiles(
        case=f"chaos-{patient.name}",
        domain=domain,
        dataset="chaos",
        images=tuple(os.path.abspath(images[stem]) for stem in order),
        labels=tuple(os.path.abspath(labels[stem]) for stem in order) if labelled else (),
    )


def _read_ground(path: str, shape: tuple[int, int]) -> np.ndarray:
    try:
        with Image.open(path) as image:
            mode, grey = image.mode, np.asarray(image.convert("L"))
    except (OSError, SyntaxError, UnidentifiedImageError) as error:
        raise InputError(f"{path}: expected a PNG, reading failed ({error}); copy it again") from error
    if mode not in ("L", "1"):
        raise InputError(f"{path}: expected a grey-scale PNG (mode L or 1), found mode {mode}; unpack CHAOS again")
    if grey.shape != shape:
        raise InputError(f"{path}: expected {shape[0]} × {shape[1]} pixels as its DICOM slice has, found {grey.shape}")
    return classes_of_grey(grey, path)
