"""Settings that all tests share."""

import random
import sys

import hypothesis
import numpy as np
import pytest

import attent_tf.runtime

attent_tf.runtime.choose_kernels()

# The same examples in every run, and no limit of time for one, which a busy machine would exceed.
hypothesis.settings.load_profile("ci")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Lets chance begin alike in each test, whichever ran before: networks get their first weights from it."""
    del item
    random.seed(0)
    np.random.seed(0)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)
