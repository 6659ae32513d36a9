"""Run folders without weights, and the oracle in the place of their networks."""

from pathlib import Path

from attent_tf.api.chains import LoadedChain
from attent_tf.configs import load_config
from attent_tf.deployment import ModelContract
from attent_tf.inference.deployed import Deployed
from attent_tf.methods import get_method
from attent_tf.postprocessing import NO_POSTPROCESSING
from attent_tf.runs import Run
from attent_tf.runs.run import create_or_check
from attent_tf.tasks import load_task
from attent_tf.volumes import PrepareOptions
from tests.inference.oracle import Oracle


def write_oracle_run(folder, method="attent", direction="mri2ct", options=None, overrides=()):
    """Writes the part of a run folder that commands read; returns the folder."""
    config = load_config("demo", list(overrides))
    options = options or PrepareOptions(size=64, pixel_mm=5.0)
    create_or_check(Run(folder, get_method(method), direction, config, "f" * 64, options, load_task()), ())
    return folder


def oracle_chain(options, direction="mri2ct", postprocessing=NO_POSTPROCESSING, oracle=None, batch_size=2):
    """Returns the oracle, or another, as `load_chain` returns networks."""
    model = ModelContract(
        path=Path("metadata.json"),
        method=get_method("attent"),
        direction=direction,
        records="f" * 64,
        weights_sha256="0" * 64,
        task=load_task(),
        prepare_options=options,
        postprocessing=postprocessing,
    )
    return LoadedChain(model, Deployed(oracle or Oracle(), "an oracle", batch_size))


def oracle_for_networks(monkeypatch):
    """Puts the oracle in the networks' place; returns a list that grows when a chain is asked for."""
    calls = []

    def open_chain(run, batch_size):
        calls.append(batch_size)
        return Deployed(Oracle(), "an oracle", batch_size or 2)

    monkeypatch.setattr("cli.deployed.open_chain", open_chain)
    return calls
