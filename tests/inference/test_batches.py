"""How many slices go through the chain at once."""

import os

import numpy as np
import pytest

from attent_tf.errors import RunError
from attent_tf.inference.batches import choose_batch_size, gpu_free_bytes, run_slices
from tests.inference.oracle import Oracle

GIB = 2**30


@pytest.mark.parametrize(
    ("image_size", "free", "cores", "expected"),
    [
        (256, None, 2, 2),
        (256, None, 64, 8),
        (128, 8 * GIB, 2, 64),  # 4 GiB hold 64 slices of 64 MiB
        (256, 8 * GIB, 2, 16),  # and 16 of 256 MiB
        (256, 80 * GIB, 2, 64),
        (512, GIB // 2, 2, 1),  # not even one would fit by this account, and one is tried
    ],
)
def test_the_batch_follows_the_device(image_size, free, cores, expected):
    assert choose_batch_size(image_size, free, cores) == expected


def _driver(tmp_path, monkeypatch, script):
    command = tmp_path / "nvidia-smi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


def test_the_fullest_gpu_counts(tmp_path, monkeypatch):
    _driver(tmp_path, monkeypatch, "printf '81000\\n4000\\n'")
    assert gpu_free_bytes() == 4000 * 2**20


@pytest.mark.parametrize("script", ["exit 9", "echo '[N/A]'", "true"])
def test_a_driver_without_an_answer_is_no_gpu(tmp_path, monkeypatch, script):
    _driver(tmp_path, monkeypatch, script)
    assert gpu_free_bytes() is None


class _Small:
    """A device that holds `most` slices at once."""

    def __init__(self, most):
        self.most, self.oracle = most, Oracle()

    def __call__(self, images):
        import tensorflow as tf

        if len(images) > self.most:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
        return self.oracle(images)


def test_batches_halve_until_they_fit_and_no_slice_is_lost():
    images = np.linspace(-1, 1, 7 * 16, dtype=np.float32).reshape(7, 4, 4, 1)
    chain = _Small(most=2)
    parts, labels = zip(*((part, output.labels) for part, output in run_slices(chain, images, 8)), strict=True)
    assert chain.oracle.batches == [2, 2, 2, 2]
    assert [(part.start, part.stop) for part in parts] == [(0, 2), (2, 4), (4, 6), (6, 7)]
    np.testing.assert_array_equal(np.concatenate(labels), Oracle()(images).labels)


def test_a_device_without_room_for_one_slice_is_told_in_one_line():
    images = np.zeros((2, 4, 4, 1), np.float32)
    with pytest.raises(RunError, match="memory for one slice"):
        list(run_slices(_Small(most=0), images, 4))


def test_other_errors_of_a_chain_are_not_swallowed():
    def broken(images):
        raise ValueError("shape")

    with pytest.raises(ValueError, match="shape"):
        list(run_slices(broken, np.zeros((1, 4, 4, 1), np.float32), 4))
