"""The scans that label maps are shown on."""

import os
from collections.abc import Mapping

import numpy as np

from attent_tf.errors import InputError
from attent_tf.scoring.label_map import LabelMap
from attent_tf.scoring.pairing import image_paths
from attent_tf.scoring.reading import Stored, onto_grid, read_image
from attent_tf.storage import list_files
from attent_tf.tasks import DEFAULT_RULES, Domain
from attent_tf.volumes.intensity import fit_intensity
from attent_tf.volumes.orientation import canonical_view
from attent_tf.volumes.volume import Volume

# Of a modality that is not known, the percentiles that serve MR show most.
_ANY = Domain("any", "other", "Any", DEFAULT_RULES["mri"])


class CaseImages:
    """The scans of a folder, each on the grid of its case's label maps.

    Args:
      root: the folder.
      label_map: says how scans are called, and which raw values are black and white.
      policy: for files whose codes of sform and qform are 0, see `read_nifti`.

    Raises:
      InputError: the folder is missing or holds no such file.
    """

    def __init__(self, root: str | os.PathLike, label_map: LabelMap, policy: str):
        self._paths: Mapping[str, str] = image_paths(label_map, list_files(root))
        self._root, self._rule, self._policy = str(root).rstrip("/"), label_map.intensity, policy
        if not self._paths:
            advice = "say in the label map how they are called"
            raise InputError(root, f"images called {label_map.images}", "none", advice)

    def canonical(self, case: str, fixed: Stored, warnings: list[str]) -> np.ndarray:
        """Reads one scan.

        Args:
          case: its name.
          fixed: the label map whose grid counts.
          warnings: gets a line where there is no usable scan.

        Returns:
          [slice, row, column] float32 in [−1, 1]; black where there is no usable scan.
        """
        try:
            if case not in self._paths:
                raise InputError(self._root, f"the image of case {case}", "none", "add it")
            image = read_image(f"{self._root}/{self._paths[case]}", self._policy)
            warnings += image.warnings
            volume = Volume(canonical_view(onto_grid(image, fixed), fixed.affine), fixed.affine, case, _ANY)
            return fit_intensity(volume, self._rule).normalise(volume.voxels)
        except InputError as error:
            warnings.append(f"Shown on black: {error}")
            return np.full_like(canonical_view(fixed.array, fixed.affine), -1.0, np.float32)
