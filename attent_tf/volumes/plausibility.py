"""Whether intensities can be those of a modality: a file does not say of which one it is, but air and bone do."""

import numpy as np

from attent_tf.volumes.volume import PATIENT, Volume

# Every n-th voxel along each axis is looked at.
_STEP = 3

# CT: air around and in the patient lies far below this, bone and contrast agent above that. 99.9 % of voxels lie below the last.
_AIR_HU, _BONE_HU, _METAL_HU = -500.0, 150.0, 6000.0

# Scans have thousands of different values, label maps one for each class.
_FEW_VALUES = 16

# MR: no value has a meaning, but negative ones are rare, and a large share of them is the air of a CT.
_CT_LIKE_SHARE = 0.05


def volume_warnings(volume: Volume) -> list[str]:
    """Returns a line for each thing about a scan that the user has to hear before its result counts."""
    warning = intensity_warning(volume)
    return [*volume.warnings, *([warning] if warning else [])]


def intensity_warning(volume: Volume) -> str | None:
    """Returns one line on intensities that hardly are those of the domain's kind, or None where they may well be.

    Those of an array were brought to another scale before.
    """
    looked_at = np.asarray(volume.voxels[::_STEP, ::_STEP, ::_STEP], np.float32)
    low, high = (float(value) for value in np.percentile(looked_at, (0.1, 99.9)))
    if len(np.unique(looked_at)) <= _FEW_VALUES:
        return (
            f"{volume.where}: expected the intensities of a scan, found {len(np.unique(looked_at))} different values; "
            "the result means nothing if this is a label map"
        )
    if volume.space != PATIENT:
        return None
    if volume.domain.kind == "ct" and not (low <= _AIR_HU and _BONE_HU <= high <= _METAL_HU):
        return (
            f"{volume.where}: expected Hounsfield units (air -1000, bone above 200), found {low:.0f} to {high:.0f}; "
            "the result means little if this is no CT in Hounsfield units"
        )
    if volume.domain.kind == "mri" and np.mean(looked_at <= _AIR_HU) > _CT_LIKE_SHARE:
        return (
            f"{volume.where}: expected the intensities of an MR scan, found {low:.0f} to {high:.0f}, which look like a CT's "
            "Hounsfield units; the result means little if this is a CT"
        )
    return None
