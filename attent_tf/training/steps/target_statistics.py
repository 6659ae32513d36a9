"""Batch statistics of the target (AdaBN, Li et al. 2018): S keeps its weights, its batch norms take means and variances anew."""

from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from attent_tf.errors import ConfigError
from attent_tf.training.panels import SegmentationPanel
from attent_tf.training.replicas import run_and_sum
from attent_tf.training.steps.step import Step, StepContext
from attent_tf.training.steps.supervised_terms import mean_entropy


class TargetStatisticsStep(Step):
    """The running statistics of the segmentor, as the plain mean of those of all batches so far.

    Make it, and trace it, inside the scope of the strategy.

    Args:
      context: the context of a stage with one network, the segmentor.

    Raises:
      ConfigError: the segmentor has no batch norms.
    """

    metric_names = ("shift", "entropy_target")

    def __init__(self, context: StepContext):
        super().__init__(context)
        (self.segmentor,) = self.networks.values()
        self.segmentor(tf.zeros((1, *context.image_shape)))
        self._norms = list(_batch_norms(self.segmentor))
        if not self._norms:
            raise ConfigError(
                f"configuration key segmentation.backbone: {context.config.segmentation.backbone} has no batch norms, whose "
                "statistics the target could give; choose another backbone or method"
            )
        for norm in self._norms:
            # A pass in training leaves the batch's own statistics behind.
            norm.momentum = 0.0

    def update(self, phase: str, step: tf.Tensor, x_t: tf.Tensor) -> dict[str, tf.Tensor]:
        """Takes the statistics of one batch into the mean: m ← m + (batch − m) / (k + 1) in step k.

        Several replicas give the means of their own statistics.
        """
        del phase
        before = [(tf.identity(norm.moving_mean), tf.identity(norm.moving_variance)) for norm in self._norms]
        found, metrics = self._batch_statistics(x_t)
        weight = 1.0 / (tf.cast(step, tf.float32) + 1.0)
        shifts = []
        for norm, (mean, variance), (batch_mean, batch_variance) in zip(self._norms, before, found, strict=True):
            change = weight * (batch_mean - mean)
            shifts.append(tf.reduce_mean(tf.abs(change) / tf.sqrt(variance + norm.epsilon)))
            norm.moving_mean.assign(mean + change)
            norm.moving_variance.assign(variance + weight * (batch_variance - variance))
        return {"shift": tf.add_n(shifts) / len(shifts), **metrics}

    def _batch_statistics(self, x_t):
        """(mean, variance) of a batch by batch norm, over all replicas, and metrics."""
        shares, metrics = run_and_sum(self.strategy, self._pass, (x_t,))
        found = [[self.strategy.reduce("SUM", share, axis=None) for share in norm_shares] for norm_shares in shares]
        return found, metrics

    def _pass(self, x_t):
        """One replica's shares of the statistics by batch norm, and of the metrics."""
        output = self.segmentor(x_t, training=True)
        replicas = self.strategy.num_replicas_in_sync
        shares = [(norm.moving_mean.value / replicas, norm.moving_variance.value / replicas) for norm in self._norms]
        return shares, {"entropy_target": self.share(mean_entropy(output.main))}

    def panel(self, target: np.ndarray) -> Callable[[], dict[str, tf.Tensor]]:
        """Image, predicted classes and entropy of target slices."""
        return SegmentationPanel(self.segmentor, None, target)


def _batch_norms(network: keras.Model) -> Iterator[keras.layers.BatchNormalization]:
    """Yields the batch norms of a network, in the order of its layers."""
    for layer in network._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            yield layer
