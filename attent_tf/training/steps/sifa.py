"""SIFA (Chen et al., TMI 2020; its first version AAAI 2019): translation, segmentation and alignment in one joint update.

a is the source, b the target. g_A translates a → b. The way back is de_B after e_B, and e_B is also the segmentor's encoder, so
that what makes translations good aligns the features that S works on.

Each part learns from its own loss alone: the supervised loss of S does not reach g_A, although S is shown what g_A makes. g_A and
de_B each pay for the cycles and for not fooling one image discriminator, on which the other has no influence; one sum of all
four terms therefore gives both their gradients. The released code makes a forward pass for each part, after the update of the
one before (g_A, d_B, e_B and its heads, de_B, d_A, d_P, d_P_ll); here all gradients are those of one pass, in which the order
of the updates makes no difference.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from attent_tf import losses
from attent_tf.methods import JUDGE_AUX, JUDGE_MAIN, JUDGE_SOURCE, JUDGE_TARGET, SEGMENTOR, SOURCE_DECODER, TO_TARGET
from attent_tf.models import SegmentorOutput
from attent_tf.training.image_pool import ImagePool
from attent_tf.training.panels import SegmentationPanel, TranslationPanel
from attent_tf.training.replicas import compiled, run_and_sum
from attent_tf.training.steps.adversary import Adversary
from attent_tf.training.steps.step import Step, StepContext
from attent_tf.training.steps.supervised_terms import mean_entropy
from attent_tf.training.steps.twofold_adversary import TwofoldAdversary

_KIND = "least_squares"
# Below which a probability costs no more (PnP-AdaNet, SIFA).
_LEAST_PROBABILITY = 0.005
_LOSSES = ("generator", "cycle", "segmentor", "cross_entropy", "dice", "alignment", "entropy_source", "entropy_target")


class Seen(NamedTuple):
    """What all networks make of a batch: images [batch, height, width, channels], and S's output for target-style images."""

    fake_b: tf.Tensor
    fake_a: tf.Tensor
    cycle_a: tf.Tensor
    cycle_b: tf.Tensor
    segmented_fake_b: SegmentorOutput
    segmented_b: SegmentorOutput


class SifaStep(Step):
    """g_A and de_B, e_B with its heads, then the discriminators of images and of predictions.

    Make it, and trace it, inside the scope of the strategy.

    Args:
      context: the context of a stage with `to_target` (g_A), `segmentor` (e_B, s_B and s_B_ll), `source_decoder` (de_B),
        `judge_source` (d_A), `judge_target` (d_B), `judge_main` (d_P) and, where the lower level is trained, `judge_aux`
        (d_P_ll).
      ramped: whether the alignment of predictions begins late and grows, as in the first version.
    """

    def __init__(self, context: StepContext, ramped: bool = False):
        super().__init__(context)
        self._ramped = ramped
        config, image = self.config, tf.zeros((1, *context.image_shape))
        self.to_target, self.segmentor = self.networks[TO_TARGET], self.networks[SEGMENTOR]
        self.decoder = self.networks[SOURCE_DECODER]
        self.to_target(image)
        predicted = self.segmentor(image)
        self.decoder(predicted.features, image)
        self.translator_update = self.updating("generator", config.generator, self.to_target, self.decoder)
        self.segmentor_update = self.updating("segmentor", config.segmentor, self.segmentor)
        self.judge_target = self._judge(Adversary, JUDGE_TARGET, image, pooled=True)
        self.judge_source = self._judge(TwofoldAdversary, JUDGE_SOURCE, image, pooled=True)
        # Each head with its weight in the supervised loss and the adversary of its predictions.
        self.heads = {"main": (1.0, self._judge(Adversary, JUDGE_MAIN, predicted.main, config.alignment_weight))}
        if JUDGE_AUX in self.networks:
            judge = self._judge(Adversary, JUDGE_AUX, predicted.aux, config.lower_alignment_weight)
            self.heads["aux"] = (config.lower_weight, judge)
        self._gradients = compiled(self._gradients, context.config.jit)
        judges = (self.source, self.target, *self.heads)
        self.metric_names = (
            *_LOSSES,
            *(f"discriminator_{name}" for name in judges),
            *(f"accuracy_{name}" for name in judges),
            "accuracy_cycled",
        )

    def _judge(self, kind, role, shown, weight=1.0, pooled=False):
        name, config = self.name_of(role), self.config
        self.networks[role](tf.zeros_like(shown))
        pool = ImagePool(config.pool_size, self.context.image_shape, name=f"pool_{name}") if pooled else None
        return kind(
            self, name, self.networks[role], config.discriminator, _KIND, weight, pool, share_of_loss=0.5, together=True
        )

    def update(
        self, phase: str, step: tf.Tensor, labelled: tuple[tf.Tensor, tf.Tensor], x_b: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """One update of each network on labelled source images and target images."""
        del phase
        x_a, labels = labelled
        count = functools.partial(losses.class_counts, classes=self.context.task.num_classes)
        counts = self.strategy.run(count, args=(labels,))
        class_weights = losses.balancing_weights(self.strategy.reduce("SUM", counts, axis=0))
        translator_gradients, segmentor_gradients, seen, metrics = run_and_sum(
            self.strategy, self._gradients, (x_a, labels, x_b, class_weights, step)
        )
        self.translator_update.apply(translator_gradients)
        self.segmentor_update.apply(segmentor_gradients)
        pooled_a, pooled_b = self.strategy.run(self._exchange, args=(seen.fake_a, seen.fake_b, step))
        judged = {
            self.target: self.judge_target.learn(x_b, pooled_b),
            self.source: self.judge_source.learn(x_a, seen.cycle_a, pooled_a),
        }
        for head, (_, judge) in self.heads.items():
            judged[head] = judge.learn(getattr(seen.segmented_fake_b, head), getattr(seen.segmented_b, head))
        return {
            **metrics,
            **{f"discriminator_{name}": verdict["loss"] for name, verdict in judged.items()},
            **{f"accuracy_{name}": verdict["accuracy"] for name, verdict in judged.items()},
            "accuracy_cycled": judged[self.source]["accuracy_cycled"],
        }

    def _gradients(self, x_a, labels, x_b, class_weights, step):
        config = self.config
        with tf.GradientTape(persistent=True) as tape:
            seen = self._see(x_a, x_b)
            cycle = losses.l1_loss(seen.cycle_a, x_a) + losses.l1_loss(seen.cycle_b, x_b)
            as_source, as_cycled = self.judge_source.charges(seen.fake_a)
            decoder_loss = config.cycle_weight * cycle + as_source
            # Of g_A and de_B.
            translation = self.share(decoder_loss + self.judge_target.charge(seen.fake_b))
            # Of e_B, s_B and s_B_ll.
            cross_entropy, dice = self._supervised(seen.segmented_fake_b, labels, class_weights)
            alignment = self._alignment(seen.segmented_b, step) + config.auxiliary_weight * as_cycled
            segmentation = self.share(cross_entropy + dice + config.decoder_weight * decoder_loss + alignment)
            scaled = self.translator_update.scaled(translation), self.segmentor_update.scaled(segmentation)
        translator_gradients = tape.gradient(scaled[0], self.translator_update.variables_updated)
        segmentor_gradients = tape.gradient(scaled[1], self.segmentor_update.variables_updated)
        metrics = {
            "generator": translation,
            "cycle": self.share(cycle),
            "segmentor": segmentation,
            "cross_entropy": self.share(cross_entropy),
            "dice": self.share(dice),
            "alignment": self.share(alignment),
            "entropy_source": self.share(mean_entropy(seen.segmented_fake_b.main)),
            "entropy_target": self.share(mean_entropy(seen.segmented_b.main)),
        }
        return translator_gradients, segmentor_gradients, seen, metrics

    def _see(self, x_a, x_b):
        """Leads a batch through all networks; batch norms take the statistics of each domain in turn, and keep a mixture."""
        segmented_b = self.segmentor(x_b, training=True)
        fake_a = self.decoder(segmented_b.features, x_b)
        # Both in one pass, since instance norms know one image at a time.
        fake_b, cycle_b = tf.split(self.to_target(tf.concat([x_a, fake_a], axis=0)), 2, axis=0)
        segmented_fake_b = self.segmentor(fake_b, training=True)
        cycle_a = self.decoder(segmented_fake_b.features, fake_b)
        return Seen(fake_b, fake_a, cycle_a, cycle_b, segmented_fake_b, segmented_b)

    def _supervised(self, output, labels, class_weights):
        cross_entropy = dice = tf.zeros(labels.shape[:1])
        for head, (weight, _) in self.heads.items():
            logits = getattr(output, head)
            cross_entropy += weight * losses.weighted_cross_entropy_loss(
                logits, labels, class_weights, _LEAST_PROBABILITY
            )
            dice += weight * losses.squared_dice_loss(logits, labels)
        return cross_entropy, dice

    def _alignment(self, output, step):
        """What S pays for target predictions that do not pass for those of translated source images, [batch]."""
        charge = self._ramp(step) * self.heads["main"][1].charge(output.main)
        return charge + self.heads["aux"][1].charge(output.aux) if "aux" in self.heads else charge

    def _ramp(self, step):
        if not self._ramped:
            return 1.0
        begin, end = (share * self.context.steps for share in (self.config.ramp_from, self.config.ramp_until))
        return tf.clip_by_value((tf.cast(step, tf.float32) - begin) / max(end - begin, 1.0), 0.0, 1.0)

    def _exchange(self, fake_a, fake_b, step):
        seed = tf.stack([tf.constant(self.context.config.seed, tf.int64), step])
        pooled_a = self.judge_source.pool.exchange(fake_a, seed)
        return pooled_a, self.judge_target.pool.exchange(fake_b, seed + tf.constant([7919, 0], tf.int64))

    def to_source(self, images: tf.Tensor) -> tf.Tensor:
        """Returns target-style images [batch, height, width, channels] in source style: de_B after e_B."""
        return self.decoder(self.segmentor(images, training=False).features, images)

    def panel(self, source: np.ndarray, target: np.ndarray) -> Callable[[], dict[str, tf.Tensor]]:
        """Both ways of translation, and predictions on translated labelled slices and on target slices."""
        ways = {
            self.to_target.name: (self.to_target, self.to_source, source),
            self.decoder.name: (self.to_source, self.to_target, target),
        }
        translation = TranslationPanel(ways)
        segmentation = SegmentationPanel(self.segmentor, source, target, labelled_through=self.to_target)
        return lambda: {**translation(), **segmentation()}
