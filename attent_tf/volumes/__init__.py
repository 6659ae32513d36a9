"""What a scan is: readers, orientation, anatomy, the grid of records, intensities. NumPy only."""

from attent_tf.volumes.anatomy import check_anatomy
from attent_tf.volumes.body import body_mask
from attent_tf.volumes.case_geometry import CaseGeometry
from attent_tf.volumes.grid import SliceGrid, fit_grid
from attent_tf.volumes.intensity import (
    Intensity,
    IntensityStatistics,
    fit_intensity,
    measure_intensity,
    pool_statistics,
)
from attent_tf.volumes.neighbours import middle_channel, stack_neighbours
from attent_tf.volumes.nifti import read_nifti, read_nifti_labels
from attent_tf.volumes.nifti_writing import write_fractions, write_labels, write_scan
from attent_tf.volumes.orientation import to_canonical
from attent_tf.volumes.placement import Placement
from attent_tf.volumes.prepare import PreparedCase, measure_case, prepare
from attent_tf.volumes.prepare_options import PrepareOptions
from attent_tf.volumes.resampling import (
    images_to_grid,
    labels_to_grid,
    resampling_matrix,
)
from attent_tf.volumes.restore import restore_image
from attent_tf.volumes.scan import read_scan
from attent_tf.volumes.volume import ARRAY, PATIENT, SLICE, Volume

__all__ = [
    "ARRAY",
    "PATIENT",
    "SLICE",
    "CaseGeometry",
    "Intensity",
    "IntensityStatistics",
    "Placement",
    "PrepareOptions",
    "PreparedCase",
    "SliceGrid",
    "Volume",
    "body_mask",
    "check_anatomy",
    "fit_grid",
    "fit_intensity",
    "images_to_grid",
    "labels_to_grid",
    "measure_case",
    "measure_intensity",
    "middle_channel",
    "pool_statistics",
    "prepare",
    "read_nifti",
    "read_nifti_labels",
    "read_scan",
    "resampling_matrix",
    "restore_image",
    "stack_neighbours",
    "to_canonical",
    "write_fractions",
    "write_labels",
    "write_scan",
]
