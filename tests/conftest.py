"""Settings that all tests share."""

import attent_tf.runtime

attent_tf.runtime.choose_kernels()
