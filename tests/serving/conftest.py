"""An exported model on a server, in a process of its own."""

import pytest

from tests.serving.servers import serving


@pytest.fixture(scope="session")
def run(untrained_run):
    return untrained_run


@pytest.fixture(scope="session")
def model(untrained_model):
    """The folder of a model with one version."""
    return untrained_model.parent


@pytest.fixture(scope="session")
def address(model):
    with serving("rest_server.py", model, "attent") as port:
        yield f"http://127.0.0.1:{port}"
