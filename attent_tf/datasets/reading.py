"""Cases to volumes: images with their labels as classes."""

import numpy as np

from attent_tf.datasets.cases import CaseFiles
from attent_tf.datasets.labels import classes_of_grey, classes_of_masks, classes_of_numbers
from attent_tf.errors import faults_of_scan
from attent_tf.volumes.dicom import SliceHeader, read_slice, stack_slices
from attent_tf.volumes.nifti import read_nifti, read_nifti_labels
from attent_tf.volumes.nifti_header import read_placement
from attent_tf.volumes.png import read_grey
from attent_tf.volumes.stored_grid import StoredGrid, turned_onto
from attent_tf.volumes.volume import Volume


def read_case(files: CaseFiles, orientation_policy: str = "strict") -> Volume:
    """Reads a case in stored orientation, with labels as class indices.

    Args:
      files: from `find_cases`.
      orientation_policy: for NIfTI files whose codes of sform and qform are 0, see `read_nifti`.

    Raises:
      InputError: a file cannot be used; the message names it.
    """
    with faults_of_scan(files.images[0]):
        if files.description.is_nifti:
            return _read_nifti_case(files, orientation_policy)
        return _read_dicom_case(files)


def slices_in_order(files: CaseFiles, headers: list[SliceHeader]) -> list[int]:
    """Returns the order of the slices of a DICOM case, as indices of `files.images`."""
    if files.description.slice_order == "name":
        return list(range(len(headers)))
    return sorted(range(len(headers)), key=lambda index: headers[index].height_mm)


def _read_nifti_case(files: CaseFiles, orientation_policy: str) -> Volume:
    (image_path,) = files.images
    voxels, affine = read_nifti(image_path, orientation_policy)
    warnings = tuple(
        line for path in (image_path, *files.labels) for line in read_placement(path, orientation_policy)[1]
    )
    if not files.labels:
        return Volume(voxels, affine, files.case, files.domain, path=files.path, warnings=warnings)
    scan, numbers = StoredGrid(image_path, voxels.shape, affine), []
    for path in files.labels:
        values, label_affine = read_nifti_labels(path, orientation_policy)
        # Tools often store what they make in an axis order of their own.
        numbers.append(turned_onto(values, StoredGrid(path, values.shape, label_affine), scan))
    if files.description.masks:
        organs = [organ for organ, _ in files.description.masks]
        classes = classes_of_masks(
            dict(zip(organs, numbers, strict=True)), dict(zip(organs, files.labels, strict=True))
        )
    else:
        classes = classes_of_numbers(numbers[0], files.description, files.labels[0])
    return Volume(voxels, affine, files.case, files.domain, classes, files.path, warnings=warnings)


def _read_dicom_case(files: CaseFiles) -> Volume:
    slices = [read_slice(path, files.domain) for path in files.images]
    order = slices_in_order(files, [header for header, _ in slices])
    voxels, affine = stack_slices([slices[index] for index in order], files.path)
    if not files.labels:
        return Volume(voxels, affine, files.case, files.domain, path=files.path)
    pictures = []
    for index in order:
        grey = read_grey(files.labels[index], slices[index][1].shape)
        pictures.append(classes_of_grey(grey, files.description, files.labels[index]))
    return Volume(voxels, affine, files.case, files.domain, np.stack(pictures).T, files.path)
