"""A benchmark trains what is missing, shares what is the same, and goes on where it stopped."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from attent_tf.configs import load_config
from attent_tf.errors import ConfigError, RunError
from attent_tf.methods import TO_SOURCE, TO_TARGET
from attent_tf.runs import load_run
from attent_tf.runs.networks import load_parts
from attent_tf.training.train import train
from cli.main import main
from tests.support.small_runs import TINY, SilentObserver

pytestmark = [pytest.mark.slow, pytest.mark.eager]

_SETTINGS = [word for setting in TINY for word in ("--set", setting)]


@pytest.fixture(scope="module")
def records(small_records):
    return small_records


@pytest.fixture(scope="module")
def words(records, tmp_path_factory):
    """The command of one benchmark."""
    out = tmp_path_factory.mktemp("benchmark") / "out"
    words = ["benchmark", "--records", str(records), "--out", str(out), "--config", "demo", "--seeds", "1"]
    return [*words, "--methods", "source_only,pixel,attent", "--directions", "mri2ct", "--workers", "1", *_SETTINGS]


@pytest.fixture(scope="module")
def first(words):
    """What it said when nothing was there."""
    return CliRunner().invoke(main, words)


@pytest.fixture(scope="module")
def out(words, first):
    """The folder that it left; its runs are only read."""
    assert first.exit_code == 0, first.output + repr(first.exception)
    return Path(words[words.index("--out") + 1])


@pytest.fixture(scope="module")
def pixel(out):
    return load_run(out / "runs/mri2ct/pixel/seed-0")


def _generator_weights(run, *roles):
    return [variable.numpy() for model in load_parts(run, *roles) for variable in model.variables]


def _assert_same_weights(mine, theirs):
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_translation_that_is_taken_over_is_what_the_run_would_have_trained(records, first, out, tmp_path):
    config = load_config("demo", TINY)
    own = train(records, tmp_path / "own", "attent", "mri2ct", config, SilentObserver(), stage="translation")
    taken = load_run(out / "runs/mri2ct/attent/seed-0")
    assert f"taken over from {out / 'runs/mri2ct/pixel/seed-0'}" in first.output
    roles = (TO_SOURCE, TO_TARGET)
    for mine, theirs in zip(_generator_weights(own, *roles), _generator_weights(taken, *roles), strict=True):
        np.testing.assert_allclose(theirs, mine, rtol=1e-3, atol=1e-5)
    assert (taken.folder / "segmentation" / "stage.json").is_file()


def test_the_generators_of_a_run_serve_the_other_direction_in_each_others_place(records, pixel, tmp_path):
    config, observer = load_config("demo", TINY), SilentObserver()
    there = train(records, tmp_path / "there", "pixel", "ct2mri", config, observer, translation_from=pixel.folder)
    assert any("Translation: complete" in line for line in observer.lines)
    mine, theirs = _generator_weights(there, TO_SOURCE, TO_TARGET), _generator_weights(pixel, TO_TARGET, TO_SOURCE)
    _assert_same_weights(mine, theirs)
    history = (there.folder / "translation" / "history.csv").read_text()
    assert history == (pixel.folder / "translation" / "history.csv").read_text()
    assert "adversarial_ct_to_mri" in history.splitlines()[0]
    assert (there.folder / "segmentation" / "history.csv").is_file()

    options = {"stage": "translation", "translation_from": there.folder}
    back = train(records, tmp_path / "back", "pixel", "mri2ct", config, SilentObserver(), **options)
    mine, theirs = (_generator_weights(run, TO_SOURCE, TO_TARGET) for run in (back, pixel))
    _assert_same_weights(mine, theirs)


def test_a_translation_of_something_else_is_refused(records, pixel, tmp_path):
    other = load_config("demo", [*TINY, "translation.cycle_weight=3"])
    with pytest.raises(RunError, match="translation settings"):
        train(records, tmp_path / "a", "attent", "mri2ct", other, SilentObserver(), translation_from=pixel.folder)
    config = load_config("demo", TINY)
    with pytest.raises(RunError, match="translation of cyclegan, found pixel"):
        train(records, tmp_path / "b", "cyclegan", "mri2ct", config, SilentObserver(), translation_from=pixel.folder)
    with pytest.raises(ConfigError, match="no translator"):
        train(records, tmp_path / "c", "entropy", "mri2ct", config, SilentObserver(), translation_from=pixel.folder)


def test_the_command_compares_methods_and_is_not_done_twice(words, first, out):
    assert first.output.count("Translation: taken over from") == 1
    content = json.loads((out / "benchmark.json").read_text())
    assert [row["method"] for row in content["directions"]["mri2ct"]["rows"]] == ["source_only", "pixel", "attent"]
    text = (out / "benchmark.md").read_text()
    assert text.startswith(f"# Benchmark of the configuration demo with {', '.join(TINY)}\n")
    assert "| Pixel alignment | 1 |" in text
    evaluated = json.loads((out / "runs/mri2ct/attent/seed-0/evaluation/metrics.json").read_text())
    average = content["directions"]["mri2ct"]["rows"][2]["scores"]["dice"]["average"]["mean"]
    assert average == pytest.approx(evaluated["average"]["dice"])
    assert load_run(out / "runs/mri2ct/attent/seed-0").config.seed == 0

    again = CliRunner().invoke(main, words)
    assert again.exit_code == 0, again.output
    assert "Segmentation" not in again.output
    assert json.loads((out / "benchmark.json").read_text()) == content

    changed = CliRunner().invoke(main, [*words, "--set", "segmentation.dice_weight=0.5"])
    assert changed.exit_code != 0
    assert "another configuration" in changed.output
