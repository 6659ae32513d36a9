"""The layout of MALBCV: `RawData/Training/{img/img0001.nii.gz, label/label0001.nii.gz}`."""

import os
import re
from pathlib import Path

import numpy as np

from attent_tf.errors import InputError
from attent_tf.organs import LEFT_KIDNEY, LIVER, RIGHT_KIDNEY, SPLEEN
from attent_tf.volumes.cases import CaseFiles, visible_files
from attent_tf.volumes.nifti import check_same_grid, read_nifti, read_nifti_labels, shown_values
from attent_tf.volumes.nifti_header import is_nifti_name
from attent_tf.volumes.volume import Volume

# Label of MALBCV -> class; its other organs are background here.
CLASS_OF_LABEL = {1: SPLEEN, 2: RIGHT_KIDNEY, 3: LEFT_KIDNEY, 6: LIVER}
LAST_LABEL = 13


def find_training_folder(root: Path) -> Path | None:
    """The folder that holds `img`, if `root` is it, holds it or holds `RawData`."""
    for folder in (root / "RawData" / "Training", root / "Training", root):
        if (folder / "img").is_dir():
            return folder
    return None


def find_malbcv_cases(training: Path, domain: str) -> list[CaseFiles]:
    """Cases in the order of their numbers; without a `label` folder they are unlabelled."""
    if domain != "ct":
        raise InputError(f"{training}: expected a folder of domain {domain}, found MALBCV, which is CT; give it as ct")
    images = _numbered(training / "img", "img")
    if not images:
        raise InputError(f"{training / 'img'}: expected img0001.nii.gz and so on, found none; unpack MALBCV again")
    labelled = (training / "label").is_dir()
    labels = _numbered(training / "label", "label") if labelled else {}
    if labelled:
        for one, others, what in ((images, labels, "label"), (labels, images, "image")):
            for number, path in one.items():
                if number not in others:
                    raise InputError(f"{path}: expected a {what} of number {number}, found none; unpack MALBCV again")
    return [
        CaseFiles(
            case=f"malbcv-{number}",
            domain=domain,
            dataset="malbcv",
            images=(os.path.abspath(path),),
            labels=(os.path.abspath(labels[number]),) if labelled else (),
        )
        for number, path in images.items()
    ]


def read_malbcv_case(files: CaseFiles, orientation_policy: str = "strict") -> Volume:
    """Reads image and label map and renumbers the labels to classes."""
    (image_path,) = files.images
    voxels, affine = read_nifti(image_path, orientation_policy)
    if not files.labels:
        return Volume(voxels, affine, files.case, files.domain)
    (label_path,) = files.labels
    labels, label_affine = read_nifti_labels(label_path, orientation_policy)
    check_same_grid(image_path, voxels.shape, affine, label_path, labels.shape, label_affine)
    return Volume(voxels, affine, files.case, files.domain, classes_of_labels(labels, label_path))


def classes_of_labels(labels: np.ndarray, path: str | os.PathLike) -> np.ndarray:
    """Whole numbers 0..13 of any shape to uint8 class indices.

    Raises:
      InputError: a label is none of MALBCV's; names `path` and the values.
    """
    unknown = labels[(labels < 0) | (labels > LAST_LABEL)]
    if unknown.size:
        raise InputError(f"{path}: expected labels 0..{LAST_LABEL}, found {shown_values(unknown)}; check the label map")
    table = np.zeros(LAST_LABEL + 1, np.uint8)
    for label, organ in CLASS_OF_LABEL.items():
        table[label] = organ
    return table[labels]


def _numbered(folder: Path, prefix: str) -> dict[str, Path]:
    """Number as written in the file name -> path, in the order of numbers."""
    found = {}
    for path in visible_files(folder):
        if not is_nifti_name(path):
            continue
        match = re.fullmatch(rf"{prefix}(\d+)\.nii(\.gz)?", path.name)
        if match is None:
            raise InputError(f"{path}: expected a name such as {prefix}0001.nii.gz; rename or remove the file")
        if match[1] in found:
            raise InputError(f"{path}: expected one file of number {match[1]}, found {found[match[1]]} too; remove one")
        found[match[1]] = path
    return found
