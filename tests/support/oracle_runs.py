"""Run folders without weights, and the oracle in the place of their networks."""

from attent_tf.configs import load_config
from attent_tf.methods import get_method
from attent_tf.runs import Run
from attent_tf.runs.run import create_or_check
from attent_tf.tasks import load_task
from attent_tf.volumes import PrepareOptions
from cli.deployed import Deployed
from tests.inference.oracle import Oracle


def write_oracle_run(folder, method="attent", direction="mri2ct", options=None, overrides=()):
    """Writes the part of a run folder that commands read; returns the folder."""
    config = load_config("demo", list(overrides))
    options = options or PrepareOptions(size=64, pixel_mm=5.0)
    create_or_check(Run(folder, get_method(method), direction, config, "f" * 64, options, load_task()), ())
    return folder


def oracle_for_networks(monkeypatch):
    """Puts the oracle in the networks' place; returns a list that grows when a chain is asked for."""
    calls = []

    def open_chain(run, batch_size):
        calls.append(batch_size)
        return Deployed(Oracle(), "an oracle", batch_size or 2)

    monkeypatch.setattr("cli.deployed.open_chain", open_chain)
    return calls
