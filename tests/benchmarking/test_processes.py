"""Runs of a benchmark side by side: who may begin, what is shown, and that bits do not depend on it."""

import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.benchmarking import plan_runs, processes
from attent_tf.benchmarking.worker import EventObserver
from attent_tf.configs import load_config
from attent_tf.errors import RunError
from attent_tf.tasks import load_task
from tests.support.programs import Program
from tests.support.small_runs import TINY, SilentObserver

_PLAN = plan_runs(load_task(), ["pixel", "attent"], ["mri2ct", "ct2mri"], [0])


def test_events_are_shown_as_the_run_told_them_under_its_title():
    stream = io.StringIO()
    teller = EventObserver(stream)
    teller.say("begins")
    with teller.stage("Translation", 10, 4) as bar:
        bar.update(6)
        bar.set_postfix_str("cycle 0.1")
    teller.tell("error", "disk: full")
    heard = SilentObserver()
    stages, steps = [], []
    heard.stage, show = lambda *told: stages.append(told) or show(*told), heard.stage
    heard.advance = steps.append
    failure = processes.replay(stream.getvalue().encode().splitlines(), "pixel", heard)
    assert (failure, heard.lines) == ("disk: full", ["pixel: begins"])
    assert (stages, steps) == ([("pixel: Translation", 10, 4)], [6])


def test_a_run_waits_for_the_translation_that_it_takes_over(tmp_path):
    donor, *others = _PLAN
    assert {run.donor for run in others} == {donor.folder}
    assert processes._is_ready(donor, tmp_path)
    assert not any(processes._is_ready(run, tmp_path) for run in others)
    (tmp_path / donor.folder / "translation").mkdir(parents=True)
    assert not any(processes._is_ready(run, tmp_path) for run in others)
    (tmp_path / donor.folder / "segmentation").mkdir()
    assert all(processes._is_ready(run, tmp_path) for run in others)


def test_a_run_that_took_its_translation_over_before_waits_for_nobody(tmp_path):
    (tmp_path / _PLAN[1].folder / "translation").mkdir(parents=True)
    assert processes._is_ready(_PLAN[1], tmp_path)


def test_small_images_get_a_worker_a_core_where_there_is_no_gpu(monkeypatch):
    small, large = (load_config("demo", [f"data.image_size={size}"]) for size in (128, 256))
    monkeypatch.setattr(processes, "_cores", lambda: 4)
    monkeypatch.setattr(processes, "on_processor", lambda: True)
    assert [processes.usual_workers(small, runs) for runs in (1, 3, 9)] == [1, 3, 4]
    assert processes.usual_workers(large, 9) == 1
    monkeypatch.setattr(processes, "on_processor", lambda: False)
    assert processes.usual_workers(small, 9) == 1


def _program(monkeypatch, text):
    """Lets every run be this program."""
    monkeypatch.setattr(
        processes,
        "_start",
        lambda records, out, item, config: subprocess.Popen(
            [sys.executable, "-c", text, item.method, str(out)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ),
    )


_FAILS_BESIDE = """
import os, pathlib, signal, sys, time
name, out = sys.argv[1:]
if name == "supervised":
    signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path(out, "saved").touch(), os._exit(143)))
    pathlib.Path(out, "ready").touch()
    time.sleep(60)
while not pathlib.Path(out, "ready").exists():
    time.sleep(0.01)
{}
"""


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ('print(\'["error", "records: damaged"]\'); sys.exit(1)', "^records: damaged$"),
        ("sys.exit('no room')", "source_only/seed-0: its process ended with code 1; no room"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "ended by signal 9; call again with fewer --workers"),
    ],
)
def test_one_that_fails_is_named_and_the_others_are_asked_to_save(tmp_path, monkeypatch, end, expected):
    _program(monkeypatch, _FAILS_BESIDE.format(end))
    runs = plan_runs(load_task(), ["source_only", "supervised", "entropy"], ["mri2ct"], [0])
    observer = SilentObserver()
    with pytest.raises(RunError, match=expected):
        processes.train_in_processes("records", tmp_path, runs, load_config("demo"), observer, 2)
    assert (tmp_path / "saved").exists()
    assert not any("entropy" in line for line in observer.lines)


def test_no_more_than_asked_for_run_at_once_in_the_order_of_the_plan(tmp_path, monkeypatch):
    _program(
        monkeypatch,
        "import pathlib, sys, time\n"
        "mine = pathlib.Path(sys.argv[2], sys.argv[1]); mine.mkdir(); time.sleep(0.2)\n"
        "(mine / 'seen').write_text(str(len(list(mine.parent.glob('*/'))) - len(list(mine.parent.glob('*/seen')))))\n",
    )
    names = ["source_only", "supervised", "entropy", "feature"]
    runs = plan_runs(load_task(), names, ["mri2ct"], [0])
    observer = SilentObserver()
    processes.train_in_processes("records", tmp_path, runs, load_config("demo"), observer, 2)
    assert max(int((tmp_path / name / "seen").read_text()) for name in names) <= 2
    begun = [line.split(",")[0] for line in observer.lines if line.endswith("begins")]
    assert begun == names


def _benchmark(records, out, workers):
    words = [word for setting in (*TINY, "segmentation.steps=40") for word in ("--set", setting)]
    words += ["--methods", "source_only,supervised", "--directions", "mri2ct", "--seeds", "1", "--workers", workers]
    command = ["benchmark", "--records", records, "--out", out, "--config", "demo", *words]
    return Program("cli.main", *command, environment={**os.environ, **processes._ONE_THREAD})


def _trained(out):
    """The last weights of every run, its history and its scores."""
    found = {}
    for folder in sorted((out / "runs").glob("*/*/*")):
        reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(folder / "segmentation" / "checkpoints")))
        names = [name for name in reader.get_variable_to_shape_map() if "GRAPH" not in name]
        found[folder.parent.name] = {name: reader.get_tensor(name) for name in names if "save_counter" not in name}
        found[folder.parent.name]["history"] = (folder / "segmentation" / "history.csv").read_text()
        found[folder.parent.name]["scores"] = json.loads((folder / "evaluation/metrics.json").read_text())["average"]
    return found


@pytest.mark.slow
def test_processes_give_the_bits_of_one_process_and_go_on_after_the_kill_of_all(small_records, tmp_path):
    killed = _benchmark(small_records, tmp_path / "two", 2)
    histories = [
        tmp_path / "two/runs/mri2ct" / name / "seed-0/segmentation/history.csv"
        for name in ("source_only", "supervised")
    ]
    while not all(path.exists() and len(path.read_text().splitlines()) > 2 for path in histories):
        assert killed.poll() is None, killed.communicate(60)[0]
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    # The output ends when the last process does that has it.
    killed.communicate(timeout=60)

    again = _benchmark(small_records, tmp_path / "two", 2)
    output, _ = again.communicate(timeout=1200)
    assert again.returncode == 0, output
    assert output.count("Segmentation: goes on at step") >= 1
    single = _benchmark(small_records, tmp_path / "one", 1)
    output, _ = single.communicate(timeout=1200)
    assert single.returncode == 0, output

    mine, theirs = _trained(tmp_path / "two"), _trained(tmp_path / "one")
    assert mine.keys() == theirs.keys() == {"source_only", "supervised"}
    for name in theirs:
        assert mine[name].keys() == theirs[name].keys()
        for key, value in theirs[name].items():
            np.testing.assert_equal(mine[name][key], value, err_msg=f"{name} {key}")
    assert (tmp_path / "two/benchmark.json").read_text() == (tmp_path / "one/benchmark.json").read_text()
