"""Random grey-value maps of labelled slices, so that S learns shapes and not one scanner's contrast.

After SLAug (Su et al., AAAI 2023): cubic Bézier curves of a slice's, or of a class's, own values, then a factor and a shift. Two
departures. Air stays as it is and counts in no statistic, as otherwise a slice with more than 20 % of air could only become
brighter. And the local view is mixed with the global one by a random field instead of a saliency map, which would take a second
backward pass.
"""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

# Below this is air: it is the darkest in every modality, so no map moves it, and none makes air of tissue.
AIR = -0.98
_BRIGHTEST = 1.0
# Of a curve and of the table that it becomes.
_POINTS = 256
# Nodes of the random field along either edge (SLAug pools its saliency to as many).
_NODES = 3
# Streams of random numbers of a slice's seed; the first two take another one for factor and shift.
_GLOBAL, _LOCAL, _FIELD = 0, 2, 4


def monotone_maps(images: tf.Tensor, seeds: tf.Tensor, scale: float, shift: float) -> tf.Tensor:
    """Maps the grey values of each slice by a random curve that never falls: what was brighter does not become darker.

    With x the values of tissue and B a cubic Bézier curve from (min x, min x) to (max x, max x), whose two inner points are
    uniform in between, with abscissae and ordinates sorted: clip(a·B(x) + b), a ~ N(1, `scale`), b ~ N(0, `shift`).

    Args:
      images: [batch, height, width, channels] float32 in [−1, 1]; channels of a slice share its curve.
      seeds: [batch, 2] int64; the same seed gives the same curve.
      scale: standard deviation of a, which is cut to 1 ± `scale`.
      shift: standard deviation of b, which is cut so that the 20th and the 80th percentile of a·B(x) stay in range.

    Returns:
      Images of the same shape; values below `AIR` are unchanged, all others lie in [`AIR`, 1].
    """
    return _mapped(images, tf.zeros_like(images, tf.int32), 1, seeds, _GLOBAL, scale, shift)


def local_maps(
    images: tf.Tensor, labels: tf.Tensor, seeds: tf.Tensor, classes: int, scale: float, shift: float
) -> tf.Tensor:
    """Maps the grey values of each class of each slice by a curve of its own; SLAug's local view.

    The background's curve falls, each structure's falls or rises with equal odds.

    Args:
      images, seeds, scale, shift: as of `monotone_maps`.
      labels: [batch, height, width] integers below `classes`; 0 is background.
      classes: number of classes.

    Returns:
      As `monotone_maps`.
    """
    regions = tf.broadcast_to(tf.cast(labels, tf.int32)[..., tf.newaxis], tf.shape(images))
    return _mapped(images, regions, classes, seeds, _LOCAL, scale, shift, falling=True)


def class_wise_maps(
    images: tf.Tensor, labels: tf.Tensor, seeds: tf.Tensor, classes: int, scale: float, shift: float
) -> tf.Tensor:
    """Mixes `monotone_maps` g and `local_maps` l of each slice by a smooth random field s in [0, 1]: g·s + l·(1 − s).

    Args: as of `local_maps`.

    Returns:
      As `monotone_maps`.
    """
    whole = monotone_maps(images, seeds, scale, shift)
    local = local_maps(images, labels, seeds, classes, scale, shift)
    field = smooth_fields(seeds, images.shape[1], images.shape[2])
    mixed = whole * field + local * (1.0 - field)
    return tf.where(images < AIR, images, tf.clip_by_value(mixed, AIR, _BRIGHTEST))


def smooth_fields(seeds: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Returns a random field for each seed, [batch, height, width, 1] float32: cubic between few nodes, from 0 to 1."""
    nodes = draw_for_each(tf.random.stateless_uniform, seeds, _FIELD, [_NODES, _NODES, 1])
    field = tf.image.resize(nodes, (height, width), "bicubic")
    lowest = tf.reduce_min(field, axis=[1, 2, 3], keepdims=True)
    highest = tf.reduce_max(field, axis=[1, 2, 3], keepdims=True)
    return (field - lowest) / (highest - lowest)


def draw_for_each(
    distribution: Callable[..., tf.Tensor], seeds: tf.Tensor, stream: int, shape: Sequence[int]
) -> tf.Tensor:
    """Draws for each seed [batch, *shape] float32, independently of the seed itself and of its other streams.

    Args:
      distribution: `tf.random.stateless_uniform` or another of its kind.
      seeds: [batch, 2] int64.
      stream: the stream of the seed.
      shape: of what is drawn for one seed.
    """
    return tf.map_fn(
        lambda seed: distribution(shape, tf.random.experimental.stateless_fold_in(seed, stream)),
        seeds,
        fn_output_signature=tf.TensorSpec(shape, tf.float32),
    )


def _mapped(images, regions, count, seeds, stream, scale, shift, falling=False):
    """Maps each of the `count` regions [batch, height, width, channels] of each slice by a curve of its own."""
    curves, factor, offset = _draw_curves(seeds, stream, count, scale, shift, falling)
    batch = tf.shape(images)[0]
    values = tf.reshape(images, [batch, -1])
    tissue = values >= AIR
    # Regions of all slices in one row; a slice's tables follow one another.
    rows = tf.reshape(regions, [batch, -1]) + count * tf.range(batch)[:, tf.newaxis]
    counted = tf.where(tissue, rows, -1)
    lowest = tf.math.unsorted_segment_min(values, counted, batch * count)
    highest = tf.math.unsorted_segment_max(values, counted, batch * count)
    # A region without tissue has neither; its table is not looked up.
    lowest = tf.where(lowest <= highest, lowest, AIR)
    width = tf.maximum(highest - lowest, 1e-6)
    place = (values - tf.gather(lowest, rows)) * tf.gather((_POINTS - 1) / width, rows)
    entry = tf.clip_by_value(tf.cast(place, tf.int32), 0, _POINTS - 2)
    after = tf.clip_by_value(place - tf.cast(entry, tf.float32), 0.0, 1.0)
    entry += rows * _POINTS
    tables = lowest[:, tf.newaxis] + width[:, tf.newaxis] * curves
    entries = batch * count * _POINTS
    found = tf.math.bincount(tf.where(tissue, entry, entries), minlength=entries + 1)[:-1]
    tables = _scaled_and_shifted(tables, tf.reshape(found, [-1, _POINTS]), factor, offset)
    tables = tf.reshape(tables, [-1])
    lower = tf.gather(tables, entry)
    mapped = lower + after * (tf.gather(tables, entry + 1) - lower)
    return tf.reshape(tf.where(tissue, mapped, values), tf.shape(images))


def _draw_curves(seeds, stream, count, scale, shift, falling):
    """Draws curves [batch · count, points] from 0 to 1 or, if falling, to 0; factors and offsets [batch · count, 1]."""
    uniform = draw_for_each(tf.random.stateless_uniform, seeds, stream, [count, 5])
    normal = draw_for_each(tf.random.stateless_normal, seeds, stream + 1, [count, 2])
    curves = _curves(uniform[..., :2], uniform[..., 2:4])
    if falling:
        falls = tf.logical_or(tf.range(count) == 0, uniform[..., 4] < 0.5)
        curves = tf.where(falls[..., tf.newaxis], 1.0 - curves, curves)
    factor = 1.0 + scale * tf.clip_by_value(normal[..., 0], -1.0, 1.0)
    return tf.reshape(curves, [-1, _POINTS]), tf.reshape(factor, [-1, 1]), tf.reshape(shift * normal[..., 1], [-1, 1])


def _curves(abscissae, ordinates):
    """Cubic Bézier curves from (0, 0) to (1, 1), as ordinates at equally spaced abscissae.

    Args:
      abscissae, ordinates: [..., 2] of the inner points, in any order.

    Returns:
      [..., points].
    """
    t = np.linspace(0, 1, _POINTS)
    second, third, last = (tf.constant(b, tf.float32) for b in (3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3))
    # No product of matrices, which a GPU may round to fewer bits.
    x, y = (inner[..., :1] * second + inner[..., 1:] * third + last for inner in map(tf.sort, (abscissae, ordinates)))
    wanted = tf.broadcast_to(tf.linspace(0.0, 1.0, _POINTS), tf.shape(x))
    after = tf.clip_by_value(tf.searchsorted(x, wanted, side="right"), 1, _POINTS - 1)
    axis = len(x.shape) - 1
    x0, x1, y0, y1 = (tf.gather(points, index, batch_dims=axis) for points in (x, y) for index in (after - 1, after))
    return y0 + (y1 - y0) * tf.clip_by_value(tf.math.divide_no_nan(wanted - x0, x1 - x0), 0.0, 1.0)


def _scaled_and_shifted(tables, found, factor, offset):
    """Applies factors and offsets to tables [rows, points], of which [rows, points] int32 values were `found`."""
    tables = tables * factor
    share = tf.cumsum(found, axis=1) / tf.maximum(tf.reduce_sum(found, axis=1, keepdims=True), 1)
    places = [tf.reduce_sum(tf.cast(share < part, tf.int32), axis=1) for part in (0.2, 0.8)]
    ends = tf.gather(tables, tf.minimum(tf.stack(places, axis=1), _POINTS - 1), batch_dims=1)
    least = AIR - tf.reduce_min(ends, axis=1, keepdims=True)
    most = _BRIGHTEST - tf.reduce_max(ends, axis=1, keepdims=True)
    return tf.clip_by_value(tables + tf.minimum(tf.maximum(offset, least), most), AIR, _BRIGHTEST)
