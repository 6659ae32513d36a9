"""The deployed model: a chain S(G_t2s(x_t)), S alone, or several such paths whose answers become one."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from attent_tf import losses
from attent_tf.choices import PathRule
from attent_tf.deployment.output import ChainOutput
from attent_tf.models import DeepLabV2, Generator
from attent_tf.runs import Run
from attent_tf.runs.networks import load_parts

# The least normal float32 in the place of 0, whose share of the entropy is 0.
_LEAST = 2.0**-126


class Route(NamedTuple):
    """One path of a slice: through translators, if any, into a segmentor.

    Attributes:
      segmentor: S.
      translators: generators that it passes before, in order.
      weight: the weight of its probabilities in a mean.
    """

    segmentor: DeepLabV2
    translators: tuple[Generator, ...] = ()
    weight: float = 1.0


class Chain(tf.Module):
    """Segments target slices by one or several paths.

    Args:
      routes: the paths, at least one.
      image_size: edge at which the networks work; the slices' edge is a multiple of it.
      rule: how the answers of several paths become one, as `Config.paths` says.
    """

    def __init__(self, routes: Sequence[Route], image_size: int, rule: PathRule = "mean"):
        super().__init__(name="chain")
        total = sum(route.weight for route in routes)
        self.routes = [route._replace(weight=route.weight / total) for route in routes]
        self.image_size = image_size
        self._rule = rule

    @property
    def networks(self) -> list[keras.Model]:
        """All networks, each once, in the order in which slices pass them."""
        return list(
            dict.fromkeys(network for route in self.routes for network in (*route.translators, route.segmentor))
        )

    @property
    def has_translator(self) -> bool:
        """Whether slices are translated before they are segmented, on the first path that does so."""
        return any(route.translators for route in self.routes)

    def at_network_size(self) -> "Chain":
        """Returns a chain of the same networks for slices of the networks' own edge: a graph is traced for one edge alone."""
        return Chain(self.routes, self.image_size, self._rule)

    @tf.function(autograph=False, reduce_retracing=True)
    def __call__(self, images: tf.Tensor) -> ChainOutput:
        """Segments `images` [batch, height, width, channels] in [−1, 1], height = width a multiple of `image_size`."""
        edge = images.shape[1]
        small = reduce_images(images, self.image_size)
        translated, logits = None, []
        for route in self.routes:
            shown = small
            for translator in route.translators:
                shown = translator(shown, training=False)
            if route.translators and translated is None:
                translated = tf.image.resize(shown, (edge, edge), method="bilinear")
            found = tf.cast(route.segmentor(shown, training=False).main, tf.float32)
            logits.append(tf.image.resize(found, (edge, edge), method="bilinear"))
        if len(logits) == 1:
            probabilities, entropy = tf.nn.softmax(logits[0]), losses.entropy_map(logits[0])
        else:
            probabilities = self._one_answer([tf.nn.softmax(found) for found in logits])
            entropy = losses.entropy_map(tf.math.log(tf.maximum(probabilities, _LEAST)))
        return ChainOutput(
            translated=images if translated is None else translated,
            probabilities=probabilities,
            labels=tf.cast(tf.argmax(probabilities, axis=-1), tf.uint8),
            # Rounding may leave the sum a hair outside.
            entropy=tf.clip_by_value(entropy, 0.0, 1.0),
        )

    def _one_answer(self, answers):
        if self._rule == "mean":
            return tf.add_n([route.weight * answer for route, answer in zip(self.routes, answers, strict=True)])
        chosen, *others = answers
        for answer in others:
            chosen = tf.where(answer[..., :1] < chosen[..., :1], answer, chosen)
        return chosen


def reduce_images(images: tf.Tensor, size: int) -> tf.Tensor:
    """Averages square blocks of `images` [batch, edge, edge, channels] to [batch, size, size, channels], as training does."""
    factor = images.shape[1] // size
    return images if factor == 1 else tf.nn.avg_pool2d(images, factor, factor, "VALID")


def load_chain(run: Run) -> Chain:
    """Loads the networks that a run deploys from its newest checkpoints.

    Args:
      run: a trained run.

    Raises:
      RunError: a stage has no checkpoint, or it is of another model.
    """
    roles = run.method.deployed
    networks = dict(zip(roles, load_parts(run, *roles), strict=True))
    routes = [
        Route(networks[path.roles[-1]], tuple(networks[role] for role in path.translators), path.weight)
        for path in run.method.deployment
    ]
    return Chain(routes, run.config.data.image_size, run.config.paths)
