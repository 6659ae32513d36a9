"""Words of which the command line offers one and the library takes one, in this one place; nothing else is loaded for them."""

from typing import Literal, get_args

OrientationPolicy = Literal["strict", "trust_affine"]
Geometry = Literal["physical", "resize"]
SplitRule = Literal["sifa", "ratio", "file", "none"]
SliceRule = Literal["body", "organs", "all"]
OnError = Literal["fail", "skip"]
Strategy = Literal["auto", "one", "mirrored", "multi_worker"]
Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]
PathRule = Literal["mean", "foreground"]

ORIENTATION_POLICIES = get_args(OrientationPolicy)
GEOMETRIES = get_args(Geometry)
SPLIT_RULES = get_args(SplitRule)
SLICE_RULES = get_args(SliceRule)
ON_ERROR = get_args(OnError)
STRATEGIES = get_args(Strategy)
PRECISIONS = get_args(Precision)
