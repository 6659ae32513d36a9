"""Cases to volumes: images with their labels as classes."""

import dataclasses
import os

import numpy as np

from attent_tf.choices import OrientationPolicy
from attent_tf.datasets.arrays import read_slice, read_volume
from attent_tf.datasets.cases import CaseFiles
from attent_tf.datasets.labels import classes_of_grey, classes_of_masks, classes_of_numbers
from attent_tf.errors import InputError, faults_of_scan
from attent_tf.volumes.dicom_series import FoundSlices, Series, choose_series, find_slices, read_voxels
from attent_tf.volumes.nifti import read_nifti, read_nifti_labels
from attent_tf.volumes.nifti_header import read_placement
from attent_tf.volumes.png import read_grey
from attent_tf.volumes.series_geometry import series_affine
from attent_tf.volumes.stored_grid import StoredGrid, turned_onto
from attent_tf.volumes.volume import Volume


def read_case(files: CaseFiles, orientation_policy: OrientationPolicy = "strict") -> Volume:
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
        if files.description.is_arrays:
            return _read_array_case(files)
        return _read_dicom_case(files)


def case_series(files: CaseFiles, found: FoundSlices) -> Series:
    """Chooses the slices of a DICOM case.

    Args:
      files: a case.
      found: from `find_slices` of `files.images`.

    Returns:
      The slices in the order that the description asks for.

    Raises:
      InputError: as `choose_series`, or labels with one picture per slice meet an object of several frames.
    """
    chosen = choose_series(
        found, files.task.domain(files.domain), os.path.dirname(files.images[0]), others=files.others
    )
    for header in chosen.headers:
        if files.labels and header.frame is not None:
            expected, advice = "one slice per file, as labels are one picture per slice", "convert it to single frames"
            raise InputError(header.path, expected, "an object of several frames", advice)
    if files.description.slice_order == "name":
        return chosen
    return dataclasses.replace(chosen, headers=tuple(sorted(chosen.headers, key=lambda header: header.height_mm)))


def _read_nifti_case(files: CaseFiles, orientation_policy: str) -> Volume:
    (image_path,) = files.images
    domain, structures = files.task.domain(files.domain), files.task.structure_names
    voxels, affine = read_nifti(image_path, orientation_policy)
    warnings = tuple(
        line for path in (image_path, *files.labels) for line in read_placement(path, orientation_policy)[1]
    )
    if not files.labels:
        return Volume(voxels, affine, files.case, domain, path=files.path, warnings=warnings)
    scan, numbers = StoredGrid(image_path, voxels.shape, affine), []
    for path in files.labels:
        values, label_affine = read_nifti_labels(path, orientation_policy)
        # Tools often store what they make in an axis order of their own.
        numbers.append(turned_onto(values, StoredGrid(path, values.shape, label_affine), scan))
    if files.description.masks:
        masks, paths = (
            {name: mask for (name, _), mask in zip(files.description.masks, values, strict=True)}
            for values in (numbers, files.labels)
        )
        classes = classes_of_masks(masks, structures, paths)
    else:
        classes = classes_of_numbers(numbers[0], files.description, structures, files.labels[0])
    return Volume(voxels, affine, files.case, domain, classes, files.path, warnings=warnings)


def _read_array_case(files: CaseFiles) -> Volume:
    (path,) = files.images
    arrays = read_slice(path) if files.is_slice else read_volume(path)
    classes = classes_of_numbers(arrays.numbers, files.description, files.task.structure_names, path)
    domain = files.task.domain(files.domain)
    return Volume(arrays.voxels, arrays.affine, files.case, domain, classes, path, space=files.space)


def _read_dicom_case(files: CaseFiles) -> Volume:
    chosen = case_series(files, find_slices(files.images))
    headers = chosen.headers
    affine = series_affine(headers, files.path)
    voxels = read_voxels(headers).T
    classes = None
    if files.labels:
        pictures = dict(zip(files.images, files.labels, strict=True))
        classes = np.empty((len(headers), headers[0].rows, headers[0].columns), np.uint8)
        for place, header in enumerate(headers):
            grey = read_grey(pictures[header.path], classes.shape[1:])
            classes[place] = classes_of_grey(grey, files.description, files.task.structure_names, pictures[header.path])
        classes = classes.T
    domain = files.task.domain(files.domain)
    return Volume(voxels, affine, files.case, domain, classes, path=files.path, warnings=chosen.warnings)
