"""The page on methods of one's own: its two files are run as they stand, but for sizes."""

import importlib
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.methods import METHODS, get_method
from attent_tf.runs import load_run
from attent_tf.runs.networks import trained_steps
from tests.support.small_runs import TINY

pytestmark = [pytest.mark.slow, pytest.mark.eager]

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-method.md"
_SMALLER = (('"demo", [', f'"demo", [*{TINY!r}, '), ("range(3)", "range(1)"))


def _blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with `dann.py`, from which it can be imported, as a package that is installed there offers it."""
    (tmp_path / "dann.py").write_text(_blocks("python")[0], encoding="utf-8")
    package = tmp_path / "dann-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: dann\nVersion: 1\n")
    entry_points = _blocks("toml")[0].replace("project.entry-points.", "").replace('"', "")
    (package / "entry_points.txt").write_text(entry_points)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    METHODS.pop("dann", None)
    METHODS.pop("dann_st", None)
    sys.modules.pop("dann", None)


def test_from_an_empty_file_to_a_row_of_the_table_takes_no_more_than_60_lines(folder, small_records, capsys):
    method, table, *_ = _blocks("python")
    assert len(method.splitlines()) + len(table.splitlines()) <= 60
    shutil.copytree(small_records, folder / "records")
    for text, smaller in _SMALLER:
        assert text in table
        table = table.replace(text, smaller)
    exec(compile(table, "table.py", "exec"), {})
    assert "| DANN | 1 |" in capsys.readouterr().out
    run = load_run(folder / "benchmark" / "runs" / "mri2ct" / "dann" / "seed-0")
    assert trained_steps(run, "segmentation") == (6, 6)
    history = (run.stage_folder("segmentation") / "history.csv").read_text().splitlines()
    reversal = [float(line.split(",")[history[0].split(",").index("reversal")]) for line in history[1:]]
    # Means over two steps of 0.1 · (2 / (1 + e^(−10 step / 6)) − 1).
    ramp = [0.1 * (2 / (1 + np.exp(-10 * step / 6)) - 1) for step in range(6)]
    np.testing.assert_allclose(reversal, np.mean(np.reshape(ramp, (3, 2)), axis=1), rtol=1e-4)


def test_the_gradient_is_turned_back_before_it_reaches_the_segmentor(folder):
    dann = importlib.import_module("dann")
    features = tf.constant([[1.0, -2.0]])
    with tf.GradientTape() as tape:
        tape.watch(features)
        loss = tf.reduce_sum(tf.square(dann.turned_back(features, tf.constant(0.25))))
    assert float(loss) == 5.0
    np.testing.assert_allclose(tape.gradient(loss, features), [[-0.5, 1.0]])


def test_a_package_offers_it_by_name(folder):
    assert get_method("dann") is importlib.import_module("dann").DANN is METHODS["dann"]


def test_self_training_is_appended_to_it(folder):
    exec(compile(_blocks("python")[2], "dann.py", "exec"), vars(importlib.import_module("dann")))
    longer, method = get_method("dann_st"), get_method("dann")
    assert longer.stages[:-1] == method.stages
    assert longer.stages[-1].id == "self_training"
    assert [path.roles for path in longer.deployment] == [("teacher",)]
