"""PnP-AdaNet, stage 2: early layers for the target, plugged below layers that stay (Dou et al., IEEE Access 2019).

A critic of features of several depths and one of masks estimate how far target slices, through layers of their own, are from
source slices, through the layers that they were copied from. Upper layers are the source's in both. Many updates of the critics
make one round with one update of the early layers.

Both branches are whole segmentors here, whose upper layers stay equal because nothing updates them; so what is deployed is one
network as any other.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from attent_tf.methods import JUDGE_FEATURES, JUDGE_MASKS, SEGMENTOR, SOURCE_SEGMENTOR
from attent_tf.models import SegmentorOutput
from attent_tf.training.panels import SegmentationPanel
from attent_tf.training.replicas import compiled, run_and_sum
from attent_tf.training.steps.adversary import Adversary
from attent_tf.training.steps.step import Step, StepContext
from attent_tf.training.steps.supervised_terms import mean_entropy


def critic_maps(output: SegmentorOutput) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns what the critics are shown of a prediction.

    Args:
      output: the output of the segmentor, with `taps`.

    Returns:
      For the critic of features all taps, rearranged to the resolution of the image, the logits and the predicted class, which
      has no slope; for the critic of masks the logits. Both [batch, height, width, channels] float32.
    """
    logits = tf.cast(output.main, tf.float32)
    edge = logits.shape[1]
    taps = [tf.nn.depth_to_space(tf.cast(tap, tf.float32), edge // tap.shape[1]) for tap in output.taps]
    predicted = tf.cast(tf.argmax(logits, axis=-1)[..., tf.newaxis], tf.float32)
    return tf.concat([*taps, logits, predicted], axis=-1), logits


class PlugAndPlayStep(Step):
    """The critics, and after a number of their updates the early layers of the target's segmentor.

    Make it, and trace it, inside the scope of the strategy.

    Args:
      context: the context of a stage with `segmentor`, whose upper layers are frozen, `source_segmentor`, frozen as a
        whole, `judge_features` and `judge_masks`.
    """

    metric_names = (
        "adapter",
        "entropy_target",
        "distance_features",
        "distance_masks",
        "accuracy_features",
        "accuracy_masks",
    )

    def __init__(self, context: StepContext):
        super().__init__(context)
        config = self.config
        self.segmentor, self.source_segmentor = self.networks[SEGMENTOR], self.networks[SOURCE_SEGMENTOR]
        image = tf.zeros((1, *context.image_shape))
        for network in (self.segmentor, self.source_segmentor):
            network(image)
        shown = critic_maps(self.source_segmentor.segment_with_taps(image))
        self.adapter_update = self.updating("adapter", config.adapter, self.segmentor)
        self.features = self._critic(JUDGE_FEATURES, shown[0], config.critic_weight)
        self.masks = self._critic(JUDGE_MASKS, shown[1], config.critic_weight * config.mask_share)
        # How many updates the critics had in this round, how many rounds are over, and what each metric was when last measured.
        self._turns = tf.Variable(0, dtype=tf.int64, trainable=False, name="turns")
        self._rounds = tf.Variable(0, dtype=tf.int64, trainable=False, name="rounds")
        self._latest = {name: tf.Variable(0.0, trainable=False, name=name) for name in self.metric_names}
        self._look = compiled(self._look, context.config.jit)
        self._adapter_gradients = compiled(self._adapter_gradients, context.config.jit)

    def _critic(self, role, shown, weight):
        network = self.networks[role]
        network(tf.zeros_like(shown))
        return Adversary(
            self, role, network, self.config.critic, "wasserstein", weight, share_of_loss=weight, clip=self.config.clip
        )

    def state(self) -> dict[str, Any]:
        """As every step's, with the state of the round."""
        return {**super().state(), "round": [self._turns, self._rounds, *self._latest.values()]}

    def phase(self, step: int) -> tuple[str, int | None]:
        """`critic` while the critic of features learns alone, then `rounds`."""
        if step < self.config.critic_warmup_steps:
            return "critic", self.config.critic_warmup_steps
        return "rounds", None

    def update(self, phase: str, step: tf.Tensor, x_s: tf.Tensor, x_t: tf.Tensor) -> dict[str, tf.Tensor]:
        """One update of the critics, or where a round has had its number of these, one of the early layers."""
        del step
        if phase == "critic":
            return self._remember(self._criticise(x_s, x_t, (self.features,)))
        turns, rounds = self._turns.read_value(), self._rounds.read_value()
        adapts = turns >= self._critic_steps(rounds)
        measured = tf.cond(
            adapts, lambda: self._adapt(x_t), lambda: self._criticise(x_s, x_t, (self.features, self.masks))
        )
        self._turns.assign(tf.where(adapts, tf.zeros_like(turns), turns + 1))
        self._rounds.assign(rounds + tf.cast(adapts, tf.int64))
        return self._remember(measured)

    def _critic_steps(self, rounds):
        every = self.config.critic_steps_grow_every
        return self.config.critic_steps + (rounds // every if every else 0)

    def _remember(self, measured):
        for name, value in measured.items():
            self._latest[name].assign(value)
        return measured

    def _measured(self, **values):
        """All metrics: those of an update that was not done are what they were at the last one."""
        return {name: values.get(name, self._latest[name].read_value()) for name in self.metric_names}

    def _criticise(self, x_s, x_t, critics):
        shown_s, shown_t, _ = run_and_sum(self.strategy, self._look, (x_s, x_t))
        values = {}
        for name, critic, genuine, imitated in zip(("features", "masks"), critics, shown_s, shown_t, strict=False):
            judged = critic.learn(genuine, imitated)
            values |= {f"distance_{name}": -judged["loss"], f"accuracy_{name}": judged["accuracy"]}
        return self._measured(**values)

    def _look(self, x_s, x_t):
        # Both branches with running statistics.
        source = self.source_segmentor.segment_with_taps(x_s, training=False)
        target = self.segmentor.segment_with_taps(x_t, training=False)
        return critic_maps(source), critic_maps(target), {}

    def _adapt(self, x_t):
        gradients, metrics = run_and_sum(self.strategy, self._adapter_gradients, (x_t,))
        self.adapter_update.apply(gradients)
        return self._measured(**metrics)

    def _adapter_gradients(self, x_t):
        with tf.GradientTape() as tape:
            # The early layers with the statistics of the batch; those above are frozen, and so are theirs.
            target = self.segmentor.segment_with_taps(x_t, training=True)
            features, masks = critic_maps(target)
            loss = self.share(self.features.charge(features) + self.masks.charge(masks))
            scaled = self.adapter_update.scaled(loss)
        gradients = tape.gradient(scaled, self.adapter_update.variables_updated)
        return gradients, {"adapter": loss, "entropy_target": self.share(mean_entropy(target.main))}

    def panel(self, source: np.ndarray, target: np.ndarray) -> Callable[[], dict[str, tf.Tensor]]:
        """Image, predicted classes and entropy of target slices, and of source slices, which are not what it is made for."""
        return SegmentationPanel(self.segmentor, source, target)
