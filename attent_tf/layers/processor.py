"""Ways of computing that suit CPUs: the same numbers from operations that their kernels do well.

On a GPU, where every operation is a kernel to be launched, the plain form with fewer operations is kept.
"""

import numpy as np
import tensorflow as tf

from attent_tf.runtime import on_processor

# Output channels -> rows and columns of a block: about 16 values, which a vector instruction of AVX-512 holds.
_BLOCKS = {1: (4, 4), 2: (2, 4), 3: (2, 2), 4: (2, 2)}


def reflect_pad(x: tf.Tensor, pixels: int) -> tf.Tensor:
    """Pads an image by its own reflection, the border pixel once, as `tf.pad(mode="REFLECT")` does.

    TensorFlow's own operation and its gradient go through an image value by value. Here whole lines are copied, and the
    gradient is added only to the lines that were reflected. If the image is too small for this, or of unknown size,
    TensorFlow's operation is used.

    Args:
      x: [batch, height, width, channels].
      pixels: on each side, at least 1.

    Returns:
      [batch, height + 2 · pixels, width + 2 · pixels, channels].
    """
    if not on_processor() or not all(edge is not None and edge > 2 * pixels + 1 for edge in x.shape[1:3]):
        return tf.pad(x, [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]], mode="REFLECT")

    @tf.custom_gradient
    def padded(inputs):
        def gradient(upstream):
            return _fold(_fold(upstream, pixels, 1), pixels, 2)

        return _reflect(_reflect(inputs, pixels, 1), pixels, 2), gradient

    return padded(x)


def _lines(x, axis, start, stop):
    return x[:, start:stop] if axis == 1 else x[:, :, start:stop]


def _reflect(x, pixels, axis):
    edge = x.shape[axis]
    before = [_lines(x, axis, i, i + 1) for i in range(pixels, 0, -1)]
    after = [_lines(x, axis, edge - 2 - i, edge - 1 - i) for i in range(pixels)]
    return tf.concat([*before, x, *after], axis)


def _fold(upstream, pixels, axis):
    edge = upstream.shape[axis] - 2 * pixels
    first = _lines(upstream, axis, 0, pixels)
    last = _lines(upstream, axis, edge + pixels, edge + 2 * pixels)
    near_first = _lines(upstream, axis, pixels + 1, 2 * pixels + 1) + tf.reverse(first, [axis])
    near_last = _lines(upstream, axis, edge - 1, edge + pixels - 1) + tf.reverse(last, [axis])
    return tf.concat(
        [
            _lines(upstream, axis, pixels, pixels + 1),
            near_first,
            _lines(upstream, axis, 2 * pixels + 1, edge - 1),
            near_last,
            _lines(upstream, axis, edge + pixels - 1, edge + pixels),
        ],
        axis,
    )


def convolve(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Convolves without padding at stride 1; where it is faster, a block of output pixels at once.

    A convolution with few output channels leaves most of a vector instruction's lanes empty. Here the output pixels of a block
    become channels: their kernel holds the given kernel once for every place in the block, with zeros around it. This is more
    arithmetic, but takes less time.

    Args:
      x: [batch, height + kernel_size − 1, width + kernel_size − 1, channels].
      kernel: [kernel_size, kernel_size, channels, filters].

    Returns:
      [batch, height, width, filters].
    """
    block = _block_edges(x.shape, kernel.shape)
    if block is None:
        return tf.nn.convolution(x, kernel, padding="VALID")
    rows, columns = block
    size, _, channels, filters = kernel.shape
    height, width = (edge - size + 1 for edge in x.shape[1:3])
    placed = [
        tf.pad(kernel, [[row, rows - 1 - row], [column, columns - 1 - column], [0, 0], [0, 0]])
        for row, column in np.ndindex(rows, columns)
    ]
    wide = (size + rows - 1, size + columns - 1, channels, rows * columns * filters)
    y = tf.nn.conv2d(x, tf.reshape(tf.stack(placed, axis=3), wide), strides=block, padding="VALID")
    y = tf.reshape(y, (-1, height // rows, width // columns, rows, columns * filters))
    return tf.reshape(tf.transpose(y, (0, 1, 3, 2, 4)), (-1, height, width, filters))


def _block_edges(image, kernel):
    """Rows and columns of the block of pixels that is computed at once, or None if that gains nothing."""
    if None in (*image[1:3], *kernel) or not on_processor():
        return None
    size, _, _, filters = kernel
    # A kernel for b × b pixels is wider by b − 1 pixels, which small kernels do not earn back.
    block = _BLOCKS.get(filters) if size >= 5 else None
    if block is None or any((edge - size + 1) % step for edge, step in zip(image[1:3], block, strict=True)):
        return None
    return block
