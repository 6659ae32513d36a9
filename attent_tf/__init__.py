"""AttENT for TensorFlow: organ segmentation in one imaging modality, learnt from labels in another.

Importing this package loads no TensorFlow; the sub-packages that need it import it themselves.
"""

__version__ = "0.1.0"

from attent_tf.runtime import choose_kernels

choose_kernels()
