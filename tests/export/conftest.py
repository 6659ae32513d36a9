"""A run and the model that is exported from it."""

import pytest


@pytest.fixture(scope="session")
def run(untrained_run):
    return untrained_run


@pytest.fixture(scope="session")
def exported(untrained_model):
    """The folder of the exported version."""
    return untrained_model


@pytest.fixture(scope="session")
def served(exported):
    import tensorflow as tf

    return tf.saved_model.load(str(exported))
