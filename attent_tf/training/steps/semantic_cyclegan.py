"""CyCADA, stage 1: a CycleGAN whose translations have to keep what a classifier sees (Hoffman et al., ICML 2018).

The paper trains the classifier f beforehand and compares f(F(x_s)) with f(x_s); as in the authors' code, it is trained alongside
on labelled source slices, translations are compared with the labels, and nothing is asked of them before f has learned something.
"""

import tensorflow as tf

from attent_tf import losses
from attent_tf.configs import Config
from attent_tf.methods import CLASSIFIER
from attent_tf.tasks import Task
from attent_tf.training.first_weights import begin_segmentor
from attent_tf.training.replicas import compiled, run_and_sum
from attent_tf.training.steps.cyclegan import CycleGanStep
from attent_tf.training.steps.step import StepContext
from attent_tf.training.steps.supervised import SupervisedStep
from attent_tf.training.steps.supervised_terms import supervised_terms


class SemanticCycleGanStep(CycleGanStep):
    """The classifier, then both generators together, then the image discriminator of each domain.

    Make it, and trace it, inside the scope of the strategy.

    Args:
      context: the context of a stage with the networks of a CycleGAN and `classifier`, a segmentor.
    """

    def __init__(self, context: StepContext):
        super().__init__(context)
        self._cycada = context.config.cycada
        self.classifier = self.networks[CLASSIFIER]
        self.classifier_update = self.updating("classifier", self._cycada.classifier, self.classifier)
        self._classifier_gradients = compiled(self._classifier_gradients, context.config.jit)
        self._semantic_gradients = compiled(self._semantic_gradients, context.config.jit)
        self.metric_names = (*self.metric_names, "classifier", "semantic")

    @classmethod
    def check(cls, config: Config, task: Task, begun: bool) -> None:
        """Raises ConfigError where what the generators or the backbone of the classifier need is missing."""
        super().check(config, task, begun)
        SupervisedStep.check(config, task, begun)

    def begin(self) -> None:
        """Gives the classifier the first weights of S where the configuration names some."""
        begin_segmentor(self.classifier, self.context.config)

    def update(
        self, phase: str, step: tf.Tensor, labelled: tuple[tf.Tensor, tf.Tensor], x_t: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """One update of the classifier, of the generators, and of each discriminator."""
        anchored = phase == "anchored"
        gradients, learned = run_and_sum(self.strategy, self._classifier_gradients, labelled)
        self.classifier_update.apply(gradients)
        has_learned = tf.cast(learned["classifier"] <= self._cycada.semantic_gate, tf.float32)
        weight = self._cycada.semantic_weight * has_learned
        gradients, fake_s, fake_t, metrics = run_and_sum(
            self.strategy, lambda x, y, t: self._semantic_gradients(x, y, t, weight, anchored), (*labelled, x_t)
        )
        self.generators.apply(gradients)
        return {**metrics, **learned, **self.judge(step, labelled[0], x_t, fake_s, fake_t)}

    def _classifier_gradients(self, images, labels):
        with tf.GradientTape() as tape:
            output = self.classifier(images, training=True)
            loss, _ = supervised_terms(self.context.config.segmentation, output, labels, self.share)
            scaled = self.classifier_update.scaled(loss)
        gradients = tape.gradient(scaled, self.classifier_update.variables_updated)
        return gradients, {"classifier": self.share(losses.cross_entropy_loss(output.main, labels))}

    def _semantic_gradients(self, x_s, labels, x_t, weight, anchored):
        with tf.GradientTape() as tape:
            translation, fake_s, fake_t, metrics = self.translate(x_s, x_t, anchored)
            seen = tf.argmax(self._classify(x_t), axis=-1)
            kept = losses.cross_entropy_loss(self._classify(fake_t), labels)
            semantic = self.share(kept + losses.cross_entropy_loss(self._classify(fake_s), seen))
            loss = translation + weight * semantic
            scaled = self.generators.scaled(loss)
        gradients = tape.gradient(scaled, self.generators.variables_updated)
        return gradients, fake_s, fake_t, {"generator": loss, **metrics, "semantic": semantic}

    def _classify(self, images):
        return self.classifier(images, training=False).main
