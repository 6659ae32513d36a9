"""What must hold on a GPU; without one, these tests are skipped."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.support.inner_steps import first_of_each_phase, make_inner, random_batch
from tests.support.small_runs import TINY, make_small_records

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not tf.config.list_physical_devices("GPU"), reason="TensorFlow sees no GPU"),
]


@pytest.fixture(params=[False, True], ids=["float32", "tf32"])
def relative(request):
    """Largest difference of a loss from the processor's, as a share of it, with products as the parameter says."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(request.param)
    yield 2e-2 if request.param else 1e-4
    tf.config.experimental.enable_tensor_float_32_execution(before)


def _losses(device, method, stage):
    """Losses of the first updates of each phase on a device."""
    with tf.device(device):
        strategy = tf.distribute.OneDeviceStrategy(device)
        with strategy.scope():
            inner = make_inner(method, stage)
            batch = tf.nest.map_structure(tf.constant, random_batch(inner.context.stage, inner.global_batch_size))
            update = tf.function(inner.update, autograph=False)
            found = []
            for at, phase in first_of_each_phase(inner, 50):
                for step in (at, at + 1):
                    metrics = update(phase, tf.constant(step, tf.int64), *batch)
                    found.append({name: float(value) for name, value in metrics.items() if "accuracy" not in name})
    return found


@pytest.mark.parametrize(
    ("method", "stage"), [("attent", "translation"), ("attent", "segmentation"), ("sifa_v2", "joint")]
)
def test_a_gpu_computes_the_losses_of_the_processor(relative, method, stage):
    expected, found = (_losses(device, method, stage) for device in ("/CPU:0", "/GPU:0"))
    for at, (one, other) in enumerate(zip(expected, found, strict=True)):
        # Adam's first updates have the size of the rate whatever the gradient's, so that roundings of small ones grow.
        allowed = max(relative, 1e-2) if at else relative
        for name, value in one.items():
            assert other[name] == pytest.approx(value, rel=allowed, abs=allowed), (at, name)


def test_a_deterministic_run_that_was_interrupted_equals_an_undisturbed_one_bit_for_bit(tmp_path):
    records = make_small_records(tmp_path)

    def train(out, *settings):
        words = [word for setting in (*TINY, *settings) for word in ("--set", setting)]
        command = [
            sys.executable,
            "-m",
            "cli.main",
            "train",
            "--records",
            str(records),
            "--out",
            str(out),
            "--deterministic",
        ]
        command += ["--direction", "mri2ct", "--config", "demo", *words]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    first = train(tmp_path / "a", "translation.steps=40", "segmentation.steps=40", "checkpoint_every=4")
    output, _ = first.communicate()
    assert first.returncode == 0, output
    second = train(tmp_path / "b", "translation.steps=40", "segmentation.steps=40", "checkpoint_every=4")
    history = tmp_path / "b" / "translation" / "history.csv"
    while second.poll() is None and not (history.exists() and len(history.read_text().splitlines()) > 6):
        pass
    second.kill()
    second.communicate()
    again = train(tmp_path / "b", "translation.steps=40", "segmentation.steps=40", "checkpoint_every=4")
    output, _ = again.communicate()
    assert again.returncode == 0, output
    assert "Translation: goes on at step" in output
    for stage in ("translation", "segmentation"):
        undisturbed, resumed = (
            tf.train.load_checkpoint(tf.train.latest_checkpoint(str(tmp_path / run / stage / "checkpoints")))
            for run in "ab"
        )
        names = [name for name in undisturbed.get_variable_to_shape_map() if "CHECKPOINTABLE" not in name]
        for name in (stored for stored in names if "save_counter" not in stored):
            np.testing.assert_array_equal(resumed.get_tensor(name), undisturbed.get_tensor(name), err_msg=name)
