"""A plain layout for anybody's data: `images/*.nii.gz`, and class indices in `labels/` under the same file names."""

import os
from pathlib import Path

import numpy as np

from attent_tf.errors import InputError
from attent_tf.organs import NUM_CLASSES
from attent_tf.volumes.cases import CaseFiles, visible_files
from attent_tf.volumes.nifti import check_same_grid, read_nifti, read_nifti_labels, shown_values
from attent_tf.volumes.nifti_header import is_nifti_name, nifti_stem
from attent_tf.volumes.volume import Volume


def find_plain_folder(root: Path) -> Path | None:
    """`root`, if it holds `images`."""
    return root if (root / "images").is_dir() else None


def find_plain_cases(folder: Path, domain: str) -> list[CaseFiles]:
    """Cases in the order of their names; without a `labels` folder they are unlabelled."""
    images = _named(folder / "images")
    if not images:
        raise InputError(
            f"{folder / 'images'}: expected NIfTI files (*.nii, *.nii.gz), found none; put the scans there"
        )
    labelled = (folder / "labels").is_dir()
    labels = _named(folder / "labels") if labelled else {}
    if labelled:
        for one, others, where in ((images, labels, "labels"), (labels, images, "images")):
            for stem, path in one.items():
                if stem not in others:
                    raise InputError(
                        f"{path}: expected a file of the same name in {where}, found none; add or remove one"
                    )
    return [
        CaseFiles(
            case=f"nifti-{stem}",
            domain=domain,
            dataset="nifti",
            images=(os.path.abspath(path),),
            labels=(os.path.abspath(labels[stem]),) if labelled else (),
        )
        for stem, path in images.items()
    ]


def read_plain_case(files: CaseFiles, orientation_policy: str = "strict") -> Volume:
    """Reads image and label map; labels are class indices already."""
    (image_path,) = files.images
    voxels, affine = read_nifti(image_path, orientation_policy)
    if not files.labels:
        return Volume(voxels, affine, files.case, files.domain)
    (label_path,) = files.labels
    labels, label_affine = read_nifti_labels(label_path, orientation_policy)
    check_same_grid(image_path, voxels.shape, affine, label_path, labels.shape, label_affine)
    unknown = labels[(labels < 0) | (labels >= NUM_CLASSES)]
    if unknown.size:
        raise InputError(
            f"{label_path}: expected class indices 0..{NUM_CLASSES - 1}, found {shown_values(unknown)}; "
            "renumber the labels"
        )
    return Volume(voxels, affine, files.case, files.domain, labels.astype(np.uint8))


def _named(folder: Path) -> dict[str, Path]:
    found = {}
    for path in visible_files(folder):
        if is_nifti_name(path):
            stem = nifti_stem(path)
            if stem in found:
                raise InputError(f"{path}: expected one file named {stem}, found {found[stem]} too; remove one")
            found[stem] = path
    return found
