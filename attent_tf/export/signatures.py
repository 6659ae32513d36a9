"""The graph of an exported model: its signatures, the checks of their inputs, and the normalisation of raw intensities.

A server cannot know what an image is. Each signature therefore refuses, in the graph, slices of another size and values
that no prepared slice has: networks would answer to anything, and wrongly.
"""

from collections.abc import Callable

import tensorflow as tf

from attent_tf.deployment.output import ChainOutput

# JSON may round, and other software that prepares slices may overshoot by as much.
_TOLERANCE = 1e-3


def make_signatures(
    run_chain: Callable[[tf.Tensor], ChainOutput], size: int, channels: int
) -> dict[str, Callable[..., dict[str, tf.Tensor]]]:
    """Makes the signatures that `attent_tf.deployment.signature.expected_signatures` lists.

    Args:
      run_chain: the chain, for [batch, size, size, channels] float32 of any batch.
      size: rows and columns of a slice.
      channels: the number of channels of a slice.

    Returns:
      `tf.function`s by the signature's name, with one trace each.
    """
    image = tf.TensorSpec((None, size, size, channels), tf.float32, name="image")
    intensities = tf.TensorSpec(image.shape, tf.float32, name="intensities")
    low, high = (tf.TensorSpec((None,), tf.float32, name=name) for name in ("low", "high"))

    def segmented(prepared):
        output = run_chain(prepared)
        return {"probabilities": output.probabilities, "labels": tf.cast(output.labels, tf.int64)}

    @tf.function(autograph=False, input_signature=[image])
    def serving_default(image):
        return segmented(_checked_image(image))

    @tf.function(autograph=False, input_signature=[image])
    def translate(image):
        return {"translated": run_chain(_checked_image(image)).translated}

    @tf.function(autograph=False, input_signature=[image])
    def entropy(image):
        return {"entropy": run_chain(_checked_image(image)).entropy}

    @tf.function(autograph=False, input_signature=[intensities, low, high])
    def raw(intensities, low, high):
        return segmented(normalise(_checked_intensities(intensities, low, high), low, high))

    return {"serving_default": serving_default, "translate": translate, "entropy": entropy, "raw": raw}


def normalise(intensities: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
    """Raw intensities to [−1, 1], step for step as `attent_tf.volumes.Intensity.normalise`.

    Args:
      intensities: [batch, height, width, channels] float32.
      low, high: [batch] float32, the raw values of −1 and +1 for each slice.

    Returns:
      Of the shape of `intensities`; what lies beyond is cut.
    """
    # The factor is computed in float64 there, and rounded once.
    factor = tf.cast(2.0 / (tf.cast(high, tf.float64) - tf.cast(low, tf.float64)), tf.float32)
    low, factor = (value[:, None, None, None] for value in (low, factor))
    return tf.clip_by_value((intensities - low) * factor - 1.0, -1.0, 1.0)


def _checked_image(image):
    image = _of_static_shape(image)
    # NaN fails this comparison, as it should.
    fits = tf.reduce_all(tf.abs(image) <= 1.0 + _TOLERANCE)
    found = ["found", tf.reduce_min(image), "to", tf.reduce_max(image)]
    advice = "prepare the slices as metadata.json says, or use the signature raw"
    with tf.control_dependencies([tf.debugging.Assert(fits, ["image: expected values in [-1, 1],", *found, advice])]):
        return tf.identity(image)


def _checked_intensities(intensities, low, high):
    intensities = _of_static_shape(intensities)
    finite = tf.reduce_all(tf.math.is_finite(intensities))
    ordered = tf.reduce_all(low < high) & tf.reduce_all(tf.math.is_finite(high - low))
    with tf.control_dependencies(
        [
            tf.debugging.Assert(finite, ["intensities: expected finite values, found others"]),
            tf.debugging.Assert(ordered, ["low, high: expected low < high for each slice, found", low, "and", high]),
        ]
    ):
        return tf.identity(intensities)


def _of_static_shape(tensor):
    """Holds a tensor to the shape that its signature states: servers hand on whatever they are sent."""
    return tf.ensure_shape(tensor, tensor.shape)
