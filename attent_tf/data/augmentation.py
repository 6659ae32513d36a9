"""Augmentation in training: random resizing and random cropping (section IV-A.1), rotation and maps of grey values (ours).

Never a left–right flip: it would swap left and right structures, such as the kidneys, although the authors' code flips.
"""

import math

import tensorflow as tf

from attent_tf.configs import AugmentationConfig
from attent_tf.data.intensity_maps import class_wise_maps, draw_for_each, monotone_maps

# Stream of random numbers of a slice's seed; those of the maps of grey values are lower.
_ROTATION = 16


def random_resized_crop(
    images: tf.Tensor,
    labels: tf.Tensor | None,
    seeds: tf.Tensor,
    zoom_min: float,
    zoom_max: float,
    shift: float,
    rotation: float = 0.0,
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Resizes each image by a random factor, turns it by a random angle and cuts the original size out at a random offset.

    What lies outside the image is air (−1) and background (0). Images are interpolated linearly, labels take the nearest
    pixel.

    Args:
      images: [batch, height, width, channels] float32 in [−1, 1].
      labels: [batch, height, width] uint8, or None.
      seeds: [batch, 2] int64; the same seed gives the same crop.
      zoom_min, zoom_max: range of the factor; above 1 enlarges.
      shift: largest offset to either side, as a share of the edge.
      rotation: largest angle to either side, in degrees; above 0, the angle is drawn apart, so that zoom and shift stay the same.

    Returns:
      Images and labels of the same shapes and types.
    """
    draw = tf.map_fn(
        lambda seed: tf.random.stateless_uniform([3], seed), seeds, fn_output_signature=tf.TensorSpec([3], tf.float32)
    )
    zoom = zoom_min + (zoom_max - zoom_min) * draw[:, 0]
    row_shift, column_shift = ((2.0 * draw[:, index] - 1.0) * shift for index in (1, 2))
    angle = tf.zeros_like(zoom)
    if rotation:
        share = draw_for_each(tf.random.stateless_uniform, seeds, _ROTATION, [1])[:, 0]
        angle = (2.0 * share - 1.0) * rotation
    return resized_crop(images, labels, zoom, angle, row_shift, column_shift)


def resized_crop(
    images: tf.Tensor,
    labels: tf.Tensor | None,
    zoom: tf.Tensor,
    angle: tf.Tensor,
    row_shift: tf.Tensor,
    column_shift: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Resizes each image by a factor, turns it and cuts the original size out of it at an offset.

    Args:
      images, labels: as of `random_resized_crop`.
      zoom: [batch] factors; above 1 enlarges.
      angle: [batch] degrees, counter-clockwise as the image is shown.
      row_shift, column_shift: [batch] offsets of the crop, as a share of the edge.

    Returns:
      As `random_resized_crop`.
    """
    height, width = tf.cast(tf.shape(images)[1], tf.float32), tf.cast(tf.shape(images)[2], tf.float32)
    # Output pixel (x, y) comes from input pixel R(x − cx, y − cy) / zoom + (cx, cy) + shift: the centre stays in place.
    radians = angle * (math.pi / 180.0)
    along, across = tf.cos(radians) / zoom, tf.sin(radians) / zoom
    centre_x, centre_y = (width - 1.0) / 2.0, (height - 1.0) / 2.0
    nothing = tf.zeros_like(zoom)
    transforms = tf.stack(
        [
            along,
            -across,
            _sum(centre_x * (1.0 - along), across * centre_y, column_shift * width),
            across,
            along,
            _sum(centre_y * (1.0 - along), -across * centre_x, row_shift * height),
            nothing,
            nothing,
        ],
        axis=1,
    )
    images = _transform(images, transforms, "BILINEAR", -1.0)
    if labels is not None:
        labels = _transform(labels[..., tf.newaxis], transforms, "NEAREST", 0.0)[..., 0]
    return images, labels


def map_some_intensities(
    images: tf.Tensor, labels: tf.Tensor, seeds: tf.Tensor, config: AugmentationConfig, num_classes: int
) -> tf.Tensor:
    """Maps the grey values of a share of the slices at random; see `attent_tf.data.intensity_maps`.

    Which ones follows from their positions alone: among any n in a row, n · `intensity_share` are mapped, to within one.

    Args:
      images: [batch, height, width, channels] float32 in [−1, 1].
      labels: [batch, height, width] uint8 of class indices, or of codes whose remainder by `num_classes` is the class.
      seeds: [batch, 2] int64 of (seed, position).
      config: with `intensity` and the keys that begin so.
      num_classes: the number of classes of the labels.

    Returns:
      Images of the same shape.
    """
    if config.intensity == "none":
        return images
    share, position = tf.constant(config.intensity_share, tf.float64), tf.cast(seeds[:, 1], tf.float64)
    chosen = tf.where(tf.floor((position + 1.0) * share) > tf.floor(position * share))
    image, label, seed = (tf.gather(values, chosen[:, 0]) for values in (images, labels, seeds))
    strength = (config.intensity_scale, config.intensity_shift)
    if config.intensity == "monotone":
        mapped = monotone_maps(image, seed, *strength)
    else:
        # Labels that a network gave hold more than the class (`attent_tf.training.pseudo_labels`).
        mapped = class_wise_maps(image, tf.cast(label, tf.int32) % num_classes, seed, num_classes, *strength)
    return tf.tensor_scatter_nd_update(images, chosen, mapped)


def _sum(*terms):
    """Adds terms in their order.

    TensorFlow makes one `AddN` of several additions, which begins with whichever term no other operation still waits for: its
    last bits are then a matter of which thread was quicker.
    """
    return tf.reduce_sum(tf.stack(terms), axis=0)


def _transform(values, transforms, interpolation, fill):
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=values,
        transforms=transforms,
        output_shape=tf.shape(values)[1:3],
        interpolation=interpolation,
        fill_mode="CONSTANT",
        fill_value=fill,
    )
