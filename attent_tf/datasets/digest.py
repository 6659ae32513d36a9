"""The checksum by which a scan is known again, whatever its file."""

import hashlib

import numpy as np

from attent_tf.volumes.volume import Volume


def input_digest(volume: Volume) -> str:
    """Returns the SHA-256 of a decoded scan: shape, affine, voxels as float32 and labels, little endian, slice by slice.

    It does not see how the scan was compressed or which type its voxels were stored in.
    """
    digest = hashlib.sha256(repr(tuple(int(length) for length in volume.shape)).encode())
    digest.update(np.ascontiguousarray(volume.affine, "<f8"))
    # The last axis first, as files hold it; and piece by piece, because a whole CT would be copied otherwise.
    for plane in volume.voxels.T:
        digest.update(np.ascontiguousarray(plane, "<f4"))
    if volume.labels is not None:
        for plane in volume.labels.T:
            digest.update(np.ascontiguousarray(plane, "u1"))
    return digest.hexdigest()
