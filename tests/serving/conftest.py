"""An exported model on a server, in a process of its own."""

import pytest

from tests.serving.servers import serving
from tests.support.untrained_runs import write_untrained_run


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    return write_untrained_run(tmp_path_factory.mktemp("serving") / "run")


@pytest.fixture(scope="session")
def model(run, tmp_path_factory):
    """The folder of a model with one version."""
    from attent_tf.export.saved_model import export_chain

    return export_chain(run, tmp_path_factory.mktemp("models") / "attent").folder.parent


@pytest.fixture(scope="session")
def address(model):
    with serving("rest_server.py", model, "attent") as port:
        yield f"http://127.0.0.1:{port}"
