"""Methods as data: what is trained, in which order and on which slices, and what is deployed. No TensorFlow."""

from attent_tf.methods.method import ADAPTATION, LOWER_BOUND, UPPER_BOUND, Method, Path
from attent_tf.methods.part import (
    CLASSIFIER,
    JUDGE_AUX,
    JUDGE_FEATURES,
    JUDGE_MAIN,
    JUDGE_MASKS,
    JUDGE_SOURCE,
    JUDGE_TARGET,
    SEGMENTOR,
    SOURCE_DECODER,
    SOURCE_SEGMENTOR,
    TEACHER,
    TO_SOURCE,
    TO_TARGET,
    Part,
    part_name,
)
from attent_tf.methods.registry import METHODS, get_method, register
from attent_tf.methods.self_training import self_trained
from attent_tf.methods.stage import Slices, Stage, View
from attent_tf.methods.target_statistics import with_target_statistics

__all__ = [
    "ADAPTATION",
    "CLASSIFIER",
    "JUDGE_AUX",
    "JUDGE_FEATURES",
    "JUDGE_MAIN",
    "JUDGE_MASKS",
    "JUDGE_SOURCE",
    "JUDGE_TARGET",
    "LOWER_BOUND",
    "METHODS",
    "SEGMENTOR",
    "SOURCE_DECODER",
    "SOURCE_SEGMENTOR",
    "TEACHER",
    "TO_SOURCE",
    "TO_TARGET",
    "UPPER_BOUND",
    "Method",
    "Part",
    "Path",
    "Slices",
    "Stage",
    "View",
    "get_method",
    "part_name",
    "register",
    "self_trained",
    "with_target_statistics",
]
