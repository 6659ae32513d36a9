"""A run and the model that is exported from it."""

import pytest

from tests.support.untrained_runs import write_untrained_run


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    return write_untrained_run(tmp_path_factory.mktemp("export") / "run")


@pytest.fixture(scope="session")
def exported(run, tmp_path_factory):
    from attent_tf.export.saved_model import export_chain

    return export_chain(run, tmp_path_factory.mktemp("models") / "attent")


@pytest.fixture(scope="session")
def served(exported):
    import tensorflow as tf

    return tf.saved_model.load(str(exported.folder))
