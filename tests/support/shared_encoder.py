"""A method whose stage trains S beside a second segmentor that has the same encoder."""

import dataclasses

import tensorflow as tf

from attent_tf.methods import CLASSIFIER, LOWER_BOUND, SEGMENTOR, Method, Part, Path, get_method
from attent_tf.training.steps.supervised import SupervisedStep

_S = "attent_tf.runs.configured:segmentor"


class TwoSegmentorsStep(SupervisedStep):
    """Both on labelled slices, by one optimiser."""

    def __init__(self, context):
        super().__init__(context)
        self.second = self.networks[CLASSIFIER]
        self.second(tf.zeros((1, *context.image_shape)))
        self.segmentor_update = self.updating("segmentor", self.config.segmentor, self.segmentor, self.second)

    def _supervised_gradients(self, images, labels):
        with tf.GradientTape() as tape:
            loss, metrics = self._terms(self.segmentor(images, training=True), labels)
            beside, _ = self._terms(self.second(images, training=True), labels)
            scaled = self.segmentor_update.scaled(loss + beside)
        return tape.gradient(scaled, self.segmentor_update.variables_updated), {"segmentor": loss, **metrics}


def two_segmentors(*parts: Part) -> Method:
    """Returns the method; `parts` replaces its networks."""
    stage = dataclasses.replace(
        get_method("source_only").stages[0],
        step="tests.support.shared_encoder:TwoSegmentorsStep",
        parts=parts or (Part(SEGMENTOR, _S), Part(CLASSIFIER, _S, encoder_of=SEGMENTOR)),
    )
    deployment = (Path((SEGMENTOR,)), Path((CLASSIFIER,)))
    return Method("two_segmentors", "Two segmentors", "one encoder", LOWER_BOUND, (stage,), deployment)
