"""Runs of the command that are stopped and go on: saved on SIGTERM, and equal to undisturbed ones to the last bit."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from tests.support.programs import Program, run_program
from tests.support.small_runs import TINY

pytestmark = pytest.mark.slow


def _command(records, out, *settings):
    words = [word for setting in (*TINY, *settings) for word in ("--set", setting)]
    command = ["train", "--records", records, "--out", out, "--direction", "mri2ct", "--method", "attent"]
    return [*map(str, command), "--config", "demo", "--deterministic", *words]


def _start_anew(words):
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", *words],
        # What TensorFlow tells users of this command; tests silence it elsewhere.
        env={key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _finished(process):
    output, _ = process.communicate(timeout=1200)
    return process.returncode, output


def _wait_for_rows(process, history, rows):
    while not (history.exists() and len(history.read_text().splitlines()) > rows):
        assert process.poll() is None, process.communicate(timeout=60)[0]
        time.sleep(0.02)


def _stage(out, name):
    """All variables of a stage's newest checkpoint by name, and its history."""
    path = tf.train.latest_checkpoint(str(out / name / "checkpoints"))
    reader = tf.train.load_checkpoint(path)
    names = [key for key in reader.get_variable_to_shape_map() if "save_counter" not in key]
    values = {key: reader.get_tensor(key) for key in names if key != "_CHECKPOINTABLE_OBJECT_GRAPH"}
    return values, (out / name / "history.csv").read_text()


def _assert_same_bits(undisturbed, resumed):
    assert undisturbed.keys() == resumed.keys()
    for key, value in undisturbed.items():
        np.testing.assert_array_equal(resumed[key], value, err_msg=key)


# Long enough to be stopped halfway. Segmentation changes its phase after it was taken up; translation has one, since each takes
# long to trace.
LONG = (
    "translation.steps=60",
    "translation.identity_steps=60",
    "segmentation.steps=60",
    "segmentation.aligner_warmup_steps=30",
    "segmentation.augmentation.intensity=class_wise",
    "segmentation.augmentation.rotation=10",
    "checkpoint_every=10",
    "panel_every=20",
)


def test_killed_and_terminated_runs_equal_an_undisturbed_one_bit_for_bit(records, tmp_path):
    code, output = _finished(_start_anew(_command(records, tmp_path / "a", *LONG)))
    assert code == 0, output
    assert not re.search(r"^[WEF]\d{4} ", output, re.MULTILINE), output

    out = tmp_path / "b"
    words = _command(records, out, *LONG)
    process = Program("cli.main", *words)
    _wait_for_rows(process, out / "translation" / "history.csv", 8)
    process.kill()
    process.wait()
    process = Program("cli.main", *words)
    _wait_for_rows(process, out / "segmentation" / "history.csv", 4)
    process.send_signal(signal.SIGTERM)
    code, output = _finished(process)
    assert code == 128 + signal.SIGTERM, output
    (step,) = re.findall(r"Segmentation: stopped by SIGTERM at step (\d+) of 60, which is saved", output)
    assert "Traceback" not in output
    code, output = _finished(Program("cli.main", *words))
    assert code == 0, output
    assert f"Segmentation: goes on at step {step} of 60" in output

    for name in ("translation", "segmentation"):
        (undisturbed, rows), (resumed, resumed_rows) = _stage(tmp_path / "a", name), _stage(out, name)
        assert resumed_rows == rows
        _assert_same_bits(undisturbed, resumed)


def test_self_training_that_stops_between_two_labellings_learns_what_it_would_have(records, tmp_path):
    run_program("tests.training.stopped_self_training", records, tmp_path)
    said = json.loads((tmp_path / "said.json").read_text())
    assert said["code"] == 128 + signal.SIGTERM
    assert "Self-training: stopped by SIGTERM at step 8 of 12, which is saved" in said["stopped"]
    assert "Self-training: goes on at step 8 of 12" in said["resumed"]
    (undisturbed, rows), (resumed, resumed_rows) = (_stage(tmp_path / name, "self_training") for name in "ab")
    assert resumed_rows == rows
    assert any(name.startswith("teacher/") for name in undisturbed)
    _assert_same_bits(undisturbed, resumed)
    for step in (0, 5, 10):
        kept = [(tmp_path / name / "self_training" / f"labels-{step}.npz").read_bytes() for name in "ab"]
        assert kept[0] == kept[1]


def test_sigterm_before_training_ends_at_once_and_leaves_nothing(records, tmp_path):
    process = _start_anew(_command(records, tmp_path / "run", *LONG))
    time.sleep(1.0)
    process.send_signal(signal.SIGTERM)
    code, output = _finished(process)
    assert code == -signal.SIGTERM
    assert "Traceback" not in output
    assert not (tmp_path / "run").exists()
