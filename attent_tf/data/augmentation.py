"""Augmentation in training: random resizing and random cropping (section IV-A.1).

Never a left–right flip: it would swap the kidneys and move the liver to the other side, although the authors' code flips.
"""

import tensorflow as tf


def random_resized_crop(
    images: tf.Tensor,
    labels: tf.Tensor | None,
    seeds: tf.Tensor,
    zoom_min: float,
    zoom_max: float,
    shift: float,
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Resizes each image by a random factor and cuts the original size out of it at a random offset.

    What lies outside the image is air (−1) and background (0). Images are interpolated linearly, labels take the nearest
    pixel.

    Args:
      images: [batch, height, width, channels] float32 in [−1, 1].
      labels: [batch, height, width] uint8, or None.
      seeds: [batch, 2] int64; the same seed gives the same crop.
      zoom_min, zoom_max: range of the factor; above 1 enlarges.
      shift: largest offset to either side, as a share of the edge.

    Returns:
      Images and labels of the same shapes and types.
    """
    draw = tf.map_fn(
        lambda seed: tf.random.stateless_uniform([3], seed), seeds, fn_output_signature=tf.TensorSpec([3], tf.float32)
    )
    zoom = zoom_min + (zoom_max - zoom_min) * draw[:, 0]
    height, width = tf.cast(tf.shape(images)[1], tf.float32), tf.cast(tf.shape(images)[2], tf.float32)
    row_shift = (2.0 * draw[:, 1] - 1.0) * shift * height
    column_shift = (2.0 * draw[:, 2] - 1.0) * shift * width
    # Output pixel (x, y) comes from input pixel ((x − cx) / zoom + cx + shift, …): the centre stays in place.
    scale = 1.0 / zoom
    centre_x, centre_y = (width - 1.0) / 2.0, (height - 1.0) / 2.0
    nothing = tf.zeros_like(zoom)
    transforms = tf.stack(
        [
            scale,
            nothing,
            centre_x * (1.0 - scale) + column_shift,
            nothing,
            scale,
            centre_y * (1.0 - scale) + row_shift,
            nothing,
            nothing,
        ],
        axis=1,
    )
    images = _transform(images, transforms, "BILINEAR", -1.0)
    if labels is not None:
        labels = _transform(labels[..., tf.newaxis], transforms, "NEAREST", 0.0)[..., 0]
    return images, labels


def _transform(values, transforms, interpolation, fill):
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=values,
        transforms=transforms,
        output_shape=tf.shape(values)[1:3],
        interpolation=interpolation,
        fill_mode="CONSTANT",
        fill_value=fill,
    )
