"""Settings and data that all tests share."""

import gc
import os
import random
import sys

import hypothesis
import numpy as np
import pytest

import attent_tf.runtime
from tests.support.made_once import MadeOnce
from tests.support.variables import share_kernels

attent_tf.runtime.choose_kernels()

# TensorFlow keeps so many objects that looking through them as often as Python does by itself takes a fifteenth of the time.
gc.set_threshold(50_000, 20, 50)

# The same examples in every run, and no limit of time for one, which a busy machine would exceed.
hypothesis.settings.load_profile("ci")


# The files that take minutes, longest first.
_LONGEST = (
    "methods/test_every_method.py",
    "methods/test_every_step.py",
    "training/test_resume.py",
    "docs/test_commands.py",
    "training/test_multi_worker.py",
    "methods/test_sifa.py",
    "cli/test_workflow.py",
    "benchmarking/test_processes.py",
    "training/test_train.py",
    "cli/test_demo.py",
)


def pytest_collection_modifyitems(items):
    """Begins with the longest files, then those that have slow tests, so that no worker waits at the end for another's."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    longest = {path: place for place, path in enumerate(_LONGEST)}

    def place(item):
        return longest.get("/".join(item.path.parts[-2:]), len(longest) + (item.path not in slow))

    items.sort(key=place)


def pytest_collection_finish():
    """Makes variables quick where a test has any."""
    if "tensorflow" in sys.modules:
        share_kernels()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Lets chance begin alike in each test, whichever ran before: networks get their first weights from it.

    Keras draws the seeds of weights from Python's generator; to set TensorFlow's own seed as well would make it forget all its
    kernels. Nor does a test find functions of TensorFlow run as another one wanted them.
    """
    random.seed(0)
    np.random.seed(0)
    eager = item.get_closest_marker("eager") is not None
    if eager or "tensorflow" in sys.modules:
        import tensorflow as tf

        tf.config.run_functions_eagerly(eager)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Folders that are made once for all workers."""
    place = tmp_path_factory.getbasetemp()
    made = MadeOnce((place.parent if "PYTEST_XDIST_WORKER" in os.environ else place) / "made-once")
    yield made
    assert made.changed() == [], "a test has changed what others read; let it copy the folder first"


@pytest.fixture(scope="session")
def small_data(made_once):
    """The folders `chaos`, `malbcv` and `records`, the last made of the others with the published split; to be read alone."""
    from tests.support.small_runs import make_small_records

    return made_once.folder("small-data", make_small_records)


@pytest.fixture(scope="session")
def small_records(small_data):
    """Records of five small scans; to be read alone."""
    return small_data / "records"


@pytest.fixture(scope="session")
def untrained_run(made_once):
    """A run of `attent` with tiny networks of random weights; to be read alone."""
    from attent_tf.runs import load_run
    from tests.support.untrained_runs import write_untrained_run

    return load_run(made_once.folder("untrained", write_untrained_run))


@pytest.fixture(scope="session")
def untrained_model(untrained_run, made_once):
    """The folder of the exported version 1 of that run, in a folder `attent`; to be read alone."""
    from attent_tf.export.saved_model import export_chain

    models = made_once.folder("models", lambda folder: export_chain(untrained_run, folder / "attent"))
    return models / "attent" / "1"
