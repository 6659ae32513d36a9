"""What a scan is: readers, orientation, anatomy, the grid of records, intensities. NumPy only."""

from attent_tf.volumes.anatomy import check_anatomy
from attent_tf.volumes.body import body_mask
from attent_tf.volumes.case_geometry import CaseGeometry
from attent_tf.volumes.grid import SliceGrid, fit_grid
from attent_tf.volumes.intensity import Intensity, fit_intensity
from attent_tf.volumes.nifti import read_nifti, read_nifti_labels, write_labels, write_scan
from attent_tf.volumes.nifti_header import ORIENTATION_POLICIES
from attent_tf.volumes.orientation import from_canonical, to_canonical
from attent_tf.volumes.prepare import (
    PreparedCase,
    PrepareOptions,
    prepare,
    restore_image,
    restore_label_probabilities,
    restore_labels,
)
from attent_tf.volumes.resampling import (
    images_from_grid,
    images_to_grid,
    labels_from_grid,
    labels_to_grid,
    probabilities_from_grid,
    resampling_matrix,
)
from attent_tf.volumes.scan import read_scan
from attent_tf.volumes.volume import Volume

__all__ = [
    "ORIENTATION_POLICIES",
    "CaseGeometry",
    "Intensity",
    "PrepareOptions",
    "PreparedCase",
    "SliceGrid",
    "Volume",
    "body_mask",
    "check_anatomy",
    "fit_grid",
    "fit_intensity",
    "from_canonical",
    "images_from_grid",
    "images_to_grid",
    "labels_from_grid",
    "labels_to_grid",
    "prepare",
    "probabilities_from_grid",
    "read_nifti",
    "read_nifti_labels",
    "read_scan",
    "resampling_matrix",
    "restore_image",
    "restore_label_probabilities",
    "restore_labels",
    "to_canonical",
    "write_labels",
    "write_scan",
]
