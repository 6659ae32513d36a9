"""Measures as functions of arrays: Dice, surface distances, volumes; protocols, summaries, intervals, paired tests."""

from attent_tf.metrics.bootstrap import mean_interval, ratio_interval
from attent_tf.metrics.overlap import dice, volume_difference_ml
from attent_tf.metrics.paired_statistics import PairedStatistics, paired_statistics
from attent_tf.metrics.protocols import DEFAULT_PROTOCOL, PROTOCOLS, Protocol
from attent_tf.metrics.scores import METRICS, score_case, score_slices
from attent_tf.metrics.significance import PairedTest, holm, paired_test
from attent_tf.metrics.surface import asd, assd, hd95, surface_dice
from attent_tf.metrics.surface_distances import SurfaceDistances, surface_distances

__all__ = [
    "DEFAULT_PROTOCOL",
    "METRICS",
    "PROTOCOLS",
    "PairedStatistics",
    "PairedTest",
    "Protocol",
    "SurfaceDistances",
    "asd",
    "assd",
    "dice",
    "hd95",
    "holm",
    "mean_interval",
    "paired_statistics",
    "paired_test",
    "ratio_interval",
    "score_case",
    "score_slices",
    "surface_dice",
    "surface_distances",
    "volume_difference_ml",
]
