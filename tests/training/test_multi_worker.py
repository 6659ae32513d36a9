"""Two processes on the loopback interface, each with a share of every batch, train one run."""

import itertools
import json
import os
import random
import socket
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import load_config
from attent_tf.errors import ConfigError
from attent_tf.methods import TO_SOURCE, TO_TARGET
from attent_tf.runs import load_run
from attent_tf.runs.networks import load_parts
from attent_tf.training.strategies import make_strategy
from attent_tf.training.train import train
from tests.support.programs import Program
from tests.support.small_runs import TINY, SilentObserver

# Instance norm and a pool of nothing: each image is treated alike, whichever worker has it. The identity loss lasts to the end,
# so that each worker traces one phase of a stage.
_SETTINGS = (
    *TINY,
    "translation.batch_size=2",
    "translation.pool_size=0",
    "translation.identity_steps=6",
    "translation.generator.learning_rate=1e-5",
)


def _start(records, out, cluster, index):
    words = [word for setting in _SETTINGS for word in ("--set", setting)]
    command = ["train", "--records", records, "--out", out, "--direction", "mri2ct", "--method", "pixel"]
    command += ["--config", "demo", *words, "--strategy", "multi_worker"]
    task = {"cluster": {"worker": cluster}, "task": {"type": "worker", "index": index}}
    return Program("cli.main", *command, environment={**os.environ, "TF_CONFIG": json.dumps(task)})


def _finish(*processes):
    outputs = [process.communicate(timeout=1200)[0] for process in processes]
    assert all(process.returncode == 0 for process in processes), "\n".join(output[-3000:] for output in outputs)
    return outputs


def _cluster():
    """Two free addresses that the system gives nobody who leaves the choice to it, until the workers take them."""
    lowest, highest = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    others = [port for port in range(10_000, 2**16) if not lowest <= port <= highest]
    free = (port for port in random.SystemRandom().sample(others, len(others)) if _is_free(port))
    return [f"127.0.0.1:{port}" for port in itertools.islice(free, 2)]


def _is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.slow
@pytest.mark.eager
def test_two_workers_train_what_one_process_trains(records, tmp_path):
    train(records, tmp_path / "one", "pixel", "mri2ct", load_config("demo", _SETTINGS), SilentObserver())
    cluster = _cluster()
    chief, other = _finish(*(_start(records, tmp_path / "two", cluster, index) for index in (0, 1)))
    assert "Translation: 6/6 steps" in chief
    assert "steps" not in other

    alone, together = load_run(tmp_path / "one"), load_run(tmp_path / "two")
    for mine, theirs in zip(
        load_parts(together, TO_SOURCE, TO_TARGET), load_parts(alone, TO_SOURCE, TO_TARGET), strict=True
    ):
        for a, b in zip(mine.variables, theirs.variables, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-3, atol=2e-5)
    rows = [(run.folder / "translation" / "history.csv").read_text().splitlines() for run in (alone, together)]
    # Of steps 2, 4 and 6.
    assert len(rows[0]) == len(rows[1]) == 4
    for mine, theirs in zip(rows[0][1:], rows[1][1:], strict=True):
        np.testing.assert_allclose(
            [float(x) for x in mine.split(",")], [float(x) for x in theirs.split(",")], rtol=0.02
        )
    assert tf.train.latest_checkpoint(str(together.folder / "segmentation" / "checkpoints")).endswith("ckpt-6")

    cluster = _cluster()
    again, _ = _finish(*(_start(records, tmp_path / "two", cluster, index) for index in (0, 1)))
    assert "Translation: complete (6 steps)" in again


def test_workers_that_are_not_described_are_refused(monkeypatch):
    for text in ("", "{}", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 4}}'):
        monkeypatch.setenv("TF_CONFIG", text)
        with pytest.raises(ConfigError, match="--strategy multi_worker: expected TF_CONFIG like"):
            make_strategy("multi_worker")
