"""How the slices of the records are shown to the networks."""

import dataclasses
from typing import Literal


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """How the networks see the 256×256 records.

    Attributes:
      image_size: edge of the networks' input in pixels; if it is smaller than that of the records, pixels are averaged.
      zoom_min: smallest factor of the random resizing.
      zoom_max: largest factor of the random resizing.
      shift: range of the random crop's offset, as a share of the edge, to either side.
    """

    image_size: Literal[256, 128, 64, 32] = 256
    zoom_min: float = 0.9
    zoom_max: float = 1.1
    shift: float = 0.05


@dataclasses.dataclass(frozen=True)
class AugmentationConfig:
    """Augmentation of the slices that S is trained on, beyond that of `data`, in stages that show labelled slices to S
    alone.

    Geometry changes in all slices of such a stage, so that no aligner can tell the domains apart by it; grey values are mapped
    only in labelled slices.

    Attributes:
      intensity: how grey values are mapped: `none`, `monotone` (a random rising curve for each slice) or `class_wise` (SLAug:
        a curve for each class, some of them falling, mixed with a rising one for the slice).
      intensity_share: share of the labelled slices that are mapped; the others are shown as they are.
      intensity_scale: standard deviation of the factor after a curve; the factor is clipped to 1 ± this.
      intensity_shift: standard deviation of the shift after the factor, for images from −1 to 1; the shift is clipped so that
        the 20th and the 80th percentile of tissue stay in range.
      rotation: largest angle to either side, in degrees.
      zoom: widens the range of zooms to `data.zoom_min` / (1 + this) … `data.zoom_max` · (1 + this).
    """

    intensity: Literal["none", "monotone", "class_wise"] = "none"
    intensity_share: float = 0.5
    intensity_scale: float = 0.1
    intensity_shift: float = 0.5
    rotation: float = 0.0
    zoom: float = 0.0
