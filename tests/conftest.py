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


def pytest_collection_modifyitems(items):
    """Begins with the files that have slow tests, so that no worker waits at the end for another's long file."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Lets chance begin alike in each test, whichever ran before: networks get their first weights from it."""
    del item
    random.seed(0)
    np.random.seed(0)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)
