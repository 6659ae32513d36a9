"""Ways of computing that suit CPUs: the same numbers from operations that their kernels do well.

On a GPU, where every operation is a kernel to be launched, the plain form with fewer operations is kept.
"""

import functools

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


def _reflect(x, pixels, axis):
    edge = x.shape[axis]
    before = tf.gather(x, np.arange(pixels, 0, -1), axis=axis)
    after = tf.gather(x, np.arange(edge - 2, edge - 2 - pixels, -1), axis=axis)
    return tf.concat([before, x, after], axis)


def _fold(upstream, pixels, axis):
    edge = upstream.shape[axis] - 2 * pixels
    first, border, near_first, between, near_last, other_border, last = tf.split(
        upstream, [pixels, 1, pixels, edge - 2 * pixels - 2, pixels, 1, pixels], axis
    )
    near_first += _reversed(first, axis)
    near_last += _reversed(last, axis)
    return tf.concat([border, near_first, between, near_last, other_border], axis)


def _reversed(lines, axis):
    return lines if lines.shape[axis] == 1 else tf.reverse(lines, [axis])


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
    size, _, _, filters = kernel.shape
    height, width = (edge and edge - size + 1 for edge in x.shape[1:3])
    block = _block_edges(height, width, kernel.shape)
    if block is None:
        return tf.nn.convolution(x, kernel, padding="VALID")
    rows, columns = block
    y = tf.nn.conv2d(x, _placed(kernel, rows, columns), strides=block, padding="VALID")
    y = tf.reshape(y, (-1, height // rows, width // columns, rows, columns * filters))
    return tf.reshape(tf.transpose(y, (0, 1, 3, 2, 4)), (-1, height, width, filters))


def _placed(kernel, rows, columns):
    """The kernel once for every place in a block, [size + rows − 1, size + columns − 1, channels, rows · columns · filters]."""
    size, _, channels, filters = kernel.shape
    # Which tap of the kernel lies where in the wide one, for each place; -1 for none. A product with ones and zeros moves the
    # taps there in one operation, and their gradient back in another.
    taps = np.full((size + rows - 1, size + columns - 1, rows * columns), -1)
    for place, (row, column) in enumerate(np.ndindex(rows, columns)):
        taps[row : row + size, column : column + size, place] = np.arange(size**2).reshape(size, size)
    moved = tf.one_hot(taps.ravel(), size**2, dtype=kernel.dtype) @ tf.reshape(kernel, (size**2, channels * filters))
    moved = tf.reshape(moved, (*taps.shape, channels, filters))
    return tf.reshape(tf.transpose(moved, (0, 1, 3, 2, 4)), (*taps.shape[:2], channels, rows * columns * filters))


def _block_edges(height, width, kernel):
    """Rows and columns of the block of the output's pixels that is computed at once, or None if that gains nothing."""
    if None in (height, width, *kernel) or not on_processor():
        return None
    size, _, _, filters = kernel
    # A kernel for b × b pixels is wider by b − 1 pixels, which small kernels do not earn back.
    block = _BLOCKS.get(filters) if size >= 5 else None
    if block is None or height % block[0] or width % block[1]:
        return None
    return block


def convolve_same(x: tf.Tensor, kernel: tf.Tensor, dilation: int = 1) -> tf.Tensor:
    """Convolves at stride 1 with zeros around the image, so that it keeps its size; the kernel's taps may lie apart.

    Few output channels are computed in blocks, as by `convolve`. Where taps lie apart, TensorFlow's own kernels for processors
    have no gradient, so its general form moves the pixels that a tap meets into the batch and back again; the larger the
    dilation, the more padding they take along. oneDNN's kernels have the gradient.

    Args:
      x: [batch, height, width, channels].
      kernel: [kernel_size, kernel_size, channels, filters], of odd size.
      dilation: distance between kernel taps.

    Returns:
      [batch, height, width, filters].
    """
    if dilation == 1 and _block_edges(*x.shape[1:3], kernel.shape):
        pad = kernel.shape[0] // 2
        return convolve(tf.pad(x, [[0, 0], [pad, pad], [pad, pad], [0, 0]]), kernel)
    if dilation > 1 and on_processor() and x.dtype in (tf.float32, tf.bfloat16) and _has_dilated_gradients(x.dtype):
        return tf.nn.conv2d(x, kernel, 1, "SAME", dilations=dilation)
    return tf.nn.convolution(x, kernel, padding="SAME", dilations=dilation)


@functools.cache
def _has_dilated_gradients(dtype):
    # oneDNN computes in bfloat16 only on processors that have it.
    with tf.init_scope():
        image, kernel, upstream = (tf.zeros(shape, dtype) for shape in ((1, 5, 5, 1), (3, 3, 1, 1), (1, 1, 1, 1)))
        try:
            tf.raw_ops.Conv2DBackpropInput(
                input_sizes=image.shape,
                filter=kernel,
                out_backprop=upstream,
                strides=[1] * 4,
                padding="VALID",
                dilations=[1, 2, 2, 1],
            )
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
            return False
    return True
