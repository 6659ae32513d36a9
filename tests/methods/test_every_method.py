"""What every method does, whatever it is made of; one that is added to the catalogue inherits these tests."""

import json
import math
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import Config, config_to_dict
from attent_tf.configs.load import leaves
from attent_tf.deployment import METADATA_FILE
from attent_tf.export.saved_model import export_chain
from attent_tf.inference.chain import load_chain
from attent_tf.inference.evaluate import evaluate
from attent_tf.methods import METHODS, get_method, part_name
from attent_tf.runs import load_run
from attent_tf.training.checkpoints import Checkpoints
from attent_tf.training.steps.step import make_step
from attent_tf.training.train import train
from tests.methods.tiny import STEPS, kinds_of_stages, kinds_of_steps, tiny_config
from tests.support.inner_steps import first_of_each_phase, random_batch
from tests.support.small_runs import SilentObserver, make_small_records

_ROOT = Path(__file__).parents[2]
# Read by the outer loop.
_OF_ANY_STAGE = {"steps", "epochs", "batch_size"}
over_stages = pytest.mark.parametrize("name", kinds_of_stages())


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_method_is_named_once_and_says_what_it_does(method):
    assert [one.title for one in METHODS.values()].count(method.title) == 1
    assert method.note
    assert method.note[0].islower()
    assert not method.note.endswith(".")


@over_stages
def test_keys_that_a_stage_does_not_read_are_keys_of_its_section(name):
    _, stage = kinds_of_stages()[name]
    known = {key for key, _ in leaves(config_to_dict(Config()))}
    for key in stage.unused:
        assert key.startswith(f"{stage.section}.")
        assert any(one == key or one.startswith(f"{key}.") for one in known), key


class _Watched:
    """A section of a configuration that remembers which of its keys were read."""

    def __init__(self, section):
        self._section = section
        self.read = set()

    def __getattr__(self, key):
        self.read.add(key)
        return getattr(self._section, key)


class _Sections:
    """A configuration with one section in another's place."""

    def __init__(self, config, name, section):
        self._config = config
        setattr(self, name, section)

    def __getattr__(self, key):
        return getattr(self._config, key)


def _as_tensors(batch):
    return tf.nest.map_structure(tf.constant, batch)


def _update(inner, at, phase, batch):
    metrics = inner.update(phase, tf.constant(at, tf.int64), *batch)
    assert set(inner.metric_names) <= set(metrics)
    assert all(math.isfinite(float(metrics[key])) for key in inner.metric_names)


def _checkpoints(folder, step, inner):
    return Checkpoints(folder, step, inner.state(), inner.image_pools, print)


@pytest.mark.slow
@over_stages
def test_a_step_trains_goes_on_as_if_undisturbed_and_reads_the_keys_that_it_should(name, tmp_path):
    """In the direction that the whole runs do not take."""
    method, stage = kinds_of_stages()[name]
    config = tiny_config(method)
    section = _Watched(getattr(config, stage.section))
    keras.utils.set_random_seed(0)
    inner = make_step(stage, _Sections(config, stage.section, section), "ct2mri")
    inner.begin()
    batch = _as_tensors(random_batch(stage, 2, config.data.image_size))
    phases = first_of_each_phase(inner, STEPS)
    for at, phase in phases:
        _update(inner, at, phase, batch)

    networks = {part_name(part.role, "ct2mri") for part in stage.parts}
    optimizers = {f"{update}_optimizer" for update in inner.weight_updates}
    assert networks | optimizers <= set(inner.state())
    options = {key.rpartition(".")[2] for key in stage.view_options}
    unused = {key.split(".")[1] for key in stage.unused}
    assert vars(section._section).keys() - section.read - options - _OF_ANY_STAGE <= unused

    _checkpoints(tmp_path, tf.Variable(STEPS, dtype=tf.int64), inner).save()
    keras.utils.set_random_seed(1)
    again, step = make_step(stage, config, "ct2mri"), tf.Variable(0, dtype=tf.int64)
    assert _checkpoints(tmp_path, step, again).restore()
    for one in (inner, again):
        _update(one, *phases[-1], batch)
    for key, variables in inner.state().items():
        for mine, theirs in zip(variables, again.state()[key], strict=True):
            np.testing.assert_allclose(theirs.numpy(), mine.numpy(), rtol=1e-5, atol=1e-6, err_msg=key)


@pytest.fixture(scope="module")
def replicas(tmp_path_factory):
    """What `replicas.py` wrote, by kind of step."""
    out = tmp_path_factory.mktemp("replicas") / "results.json"
    command = [sys.executable, "-m", "tests.methods.replicas", str(out)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, cwd=_ROOT)
    assert result.returncode == 0, result.stderr[-2000:]
    return json.loads(out.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", kinds_of_steps())
def test_two_replicas_train_like_one(kind, replicas):
    assert isinstance(replicas[kind], list), replicas[kind]
    one, two = replicas[kind]
    np.testing.assert_allclose(two["weights"], one["weights"], rtol=2e-4, atol=1e-4)
    assert two["metrics"] == pytest.approx(one["metrics"], rel=1e-3, abs=1e-4)


class _InterruptedInTheLastStage(SilentObserver):
    """Stops the program halfway through the last stage, as Ctrl-C would."""

    def __init__(self, method):
        super().__init__()
        self._title = method.stages[-1].id.capitalize()
        self._within, self._left = False, STEPS // 2

    def stage(self, title, total, initial):
        self._within = title == self._title
        return super().stage(title, total, initial)

    def advance(self, count):
        self._left -= count if self._within else 0
        if self._left < 0:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return make_small_records(tmp_path_factory.mktemp("every-method"))


@pytest.fixture(scope="module")
def donors():
    """Stage -> folder of the first run that trained it, for those that may share it."""
    return {}


@pytest.fixture(scope="module", params=METHODS)
def trained(request, records, donors, tmp_path_factory):
    """A run of each method that was interrupted in its last stage and went on, and what was said when it did."""
    method = get_method(request.param)
    folder, config = tmp_path_factory.mktemp("runs") / method.id, tiny_config(method)
    donor = donors.setdefault(method.shareable_stage, folder) if method.shareable_stage else folder
    more = {} if donor == folder else {"translation_from": donor}
    with pytest.raises(KeyboardInterrupt):
        train(records, folder, method.id, "mri2ct", config, _InterruptedInTheLastStage(method), **more)
    observer = SilentObserver()
    train(records, folder, method.id, "mri2ct", config, observer)
    return load_run(folder), observer.lines


@pytest.mark.slow
def test_an_interrupted_run_goes_on_to_its_end(trained):
    run, lines = trained
    assert f"{run.method.stages[-1].id.capitalize()}: goes on at step {STEPS // 2} of {STEPS}" in lines
    for stage in run.method.stages:
        rows = (run.stage_folder(stage.id) / "history.csv").read_text().splitlines()
        assert [row.split(",")[0] for row in rows] == ["step", "2", "4"]


@pytest.mark.slow
def test_the_run_folder_has_the_stages_and_networks_of_the_method(trained):
    run, _ = trained
    assert {path.parent.name for path in run.folder.glob("*/stage.json")} == {stage.id for stage in run.method.stages}
    for stage in run.method.stages:
        newest = tf.train.latest_checkpoint(str(run.stage_folder(stage.id) / "checkpoints"))
        held = {key.split("/")[0] for key in tf.train.load_checkpoint(newest).get_variable_to_shape_map()}
        assert {part_name(part.role, run.direction) for part in stage.parts} <= held


@pytest.mark.slow
def test_the_deployed_chain_is_what_the_method_says(trained):
    run, _ = trained
    chain = load_chain(run)
    found = [[network.name for network in (*route.translators, route.segmentor)] for route in chain.routes]
    assert found == [[part_name(role, run.direction) for role in path.roles] for path in run.method.deployment]
    total = sum(path.weight for path in run.method.deployment)
    assert [route.weight for route in chain.routes] == pytest.approx(
        [path.weight / total for path in run.method.deployment]
    )
    images = np.random.default_rng(0).uniform(-1, 1, (2, 256, 256, 1)).astype(np.float32)
    translated = chain(tf.constant(images)).translated.numpy()
    assert np.array_equal(translated, images) != run.method.translates


@pytest.mark.slow
def test_it_is_scored(trained, records, tmp_path):
    run, _ = trained
    evaluation = evaluate(run, records, tmp_path, SilentObserver())
    assert (evaluation.header["method"], evaluation.header["direction"]) == (run.method.id, "mri2ct")
    assert 0 <= evaluation.average["dice"] <= 100
    assert len(evaluation.cases) > 0


@pytest.mark.slow
def test_the_exported_model_says_what_the_chain_says(trained, tmp_path):
    run, _ = trained
    exported = export_chain(run, tmp_path / "model")
    assert json.loads((exported.folder / METADATA_FILE).read_text())["method"] == run.method.id
    images = tf.constant(np.random.default_rng(1).uniform(-1, 1, (2, 256, 256, 1)).astype(np.float32))
    expected = load_chain(run)(images)
    signatures = tf.saved_model.load(str(exported.folder)).signatures
    answer = signatures["serving_default"](image=images)
    np.testing.assert_allclose(answer["probabilities"], expected.probabilities, atol=1e-5, rtol=0)
    assert np.mean(answer["labels"].numpy() == expected.labels.numpy()) > 0.9999
    translated = signatures["translate"](image=images)["translated"]
    np.testing.assert_allclose(translated, expected.translated, atol=1e-5, rtol=0)
