"""What a cohort job is told."""

import dataclasses

from attent_tf.choices import OrientationPolicy


@dataclasses.dataclass(frozen=True)
class CohortOptions:
    """Options of a cohort job; all workers see its folders under the same paths.

    Attributes:
      model: version folder of an exported model.
      out: folder for the results.
      batch_size: slices at once; chosen for the device if None.
      orientation_policy: see `attent_tf.volumes.read_scan`.
      postprocess: whether label maps are cleaned; as the model says if None.
      overwrite: whether results that are there are removed first.
    """

    model: str
    out: str
    batch_size: int | None = None
    orientation_policy: OrientationPolicy = "strict"
    postprocess: bool | None = None
    overwrite: bool = False
