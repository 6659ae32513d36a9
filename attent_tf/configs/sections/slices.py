"""What networks are shown of the slices of the records."""

import dataclasses
from typing import Literal


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """What the networks see of the 256×256 records.

    Attributes:
      image_size: edge of the networks' input in pixels; smaller than the records' means averaging down.
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
    """Augmentation of what S is trained on, beyond that of `data`, in each stage whose labelled slices S alone is shown.

    Geometry is that of all slices of such a stage, so that no aligner tells domains apart by it; grey values are mapped in
    labelled slices alone.

    Attributes:
      intensity: how grey values are mapped: `none`, `monotone` (a random rising curve for a slice) or `class_wise` (SLAug: curves
        of the classes' own, some of them falling, mixed with a rising one of the slice).
      intensity_share: share of the labelled slices that are mapped; the others are shown as they are.
      intensity_scale: standard deviation of the factor after a curve, cut to 1 ± this.
      intensity_shift: standard deviation of the shift after the factor, for images from −1 to 1; cut so that the 20th and the
        80th percentile of tissue stay in range.
      rotation: largest angle to either side, in degrees.
      zoom: widens the range of zooms to `data.zoom_min` / (1 + this) … `data.zoom_max` · (1 + this).
    """

    intensity: Literal["none", "monotone", "class_wise"] = "none"
    intensity_share: float = 0.5
    intensity_scale: float = 0.1
    intensity_shift: float = 0.5
    rotation: float = 0.0
    zoom: float = 0.0
