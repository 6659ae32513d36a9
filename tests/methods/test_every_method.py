"""What a run of every method does; one that is added to the catalogue inherits these tests."""

import json

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.deployment import METADATA_FILE
from attent_tf.export.saved_model import export_chain
from attent_tf.inference.chain import load_chain
from attent_tf.inference.evaluate import evaluate
from attent_tf.methods import METHODS, part_name
from attent_tf.runs import load_run
from tests.methods.tiny import STEPS, is_interrupted, one_for_each_kind_of_chain, trained_whole
from tests.support.small_runs import SilentObserver


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_method_is_named_once_and_says_what_it_does(method):
    assert [registered.title for registered in METHODS.values()].count(method.title) == 1
    assert method.note
    assert method.note[0].islower()
    assert not method.note.endswith(".")


over_methods = pytest.mark.parametrize("method", trained_whole())
over_chains = pytest.mark.parametrize("method", one_for_each_kind_of_chain())


@pytest.fixture
def folder(method, run_of):
    return run_of(method)


@pytest.fixture
def run(folder):
    return load_run(folder / "run")


@pytest.fixture(scope="module")
def chains():
    """Method -> its chain, loaded once for the tests that only call it."""
    return {}


@pytest.fixture
def chain(method, run, chains):
    if method not in chains:
        chains[method] = load_chain(run)
    return chains[method]


@pytest.mark.slow
@over_methods
def test_a_run_comes_to_its_end_interrupted_or_not(run, folder):
    lines = (folder / "said.txt").read_text().splitlines()
    went_on = any(line.endswith(f": goes on at step {STEPS // 2} of {STEPS}") for line in lines)
    assert went_on == is_interrupted(run.method)
    for stage in run.method.stages:
        rows = (run.stage_folder(stage.id) / "history.csv").read_text().splitlines()
        steps = [row.split(",")[0] for row in rows]
        # Another phase may begin in between, which is another row.
        assert (steps[0], steps[-1]) == ("step", str(STEPS))
        assert steps[1:] == sorted(set(steps[1:]), key=int)


@pytest.mark.slow
@over_methods
def test_the_run_folder_has_the_stages_and_networks_of_the_method(run):
    assert {path.parent.name for path in run.folder.glob("*/stage.json")} == {stage.id for stage in run.method.stages}
    for stage in run.method.stages:
        newest = tf.train.latest_checkpoint(str(run.stage_folder(stage.id) / "checkpoints"))
        held = {key.split("/")[0] for key in tf.train.load_checkpoint(newest).get_variable_to_shape_map()}
        assert {part_name(part.role, run.source, run.target) for part in stage.parts} <= held


@pytest.mark.slow
@pytest.mark.eager
@over_chains
def test_the_deployed_chain_is_what_the_method_says(run, chain):
    found = [[network.name for network in (*route.translators, route.segmentor)] for route in chain.routes]
    assert found == [[part_name(role, run.source, run.target) for role in path.roles] for path in run.method.deployment]
    total = sum(path.weight for path in run.method.deployment)
    assert [route.weight for route in chain.routes] == pytest.approx(
        [path.weight / total for path in run.method.deployment]
    )
    images = np.random.default_rng(0).uniform(-1, 1, (2, 256, 256, 1)).astype(np.float32)
    translated = chain(tf.constant(images)).translated.numpy()
    assert np.array_equal(translated, images) != run.method.translates


@pytest.mark.slow
@pytest.mark.eager
@over_chains
def test_it_is_scored(run, small_records, tmp_path):
    evaluation = evaluate(run, small_records, tmp_path, SilentObserver())
    assert (evaluation.header["method"], evaluation.header["direction"]) == (run.method.id, "mri2ct")
    assert 0 <= evaluation.average["dice"] <= 100
    assert len(evaluation.cases) > 0


@pytest.mark.slow
@pytest.mark.eager
@over_chains
def test_the_exported_model_says_what_the_chain_says(run, chain, tmp_path):
    exported = export_chain(run, tmp_path / "model")
    assert json.loads((exported.folder / METADATA_FILE).read_text())["method"] == run.method.id
    images = tf.constant(np.random.default_rng(1).uniform(-1, 1, (2, 256, 256, 1)).astype(np.float32))
    expected = chain(images)
    signatures = tf.saved_model.load(str(exported.folder)).signatures
    answer = signatures["serving_default"](image=images)
    np.testing.assert_allclose(answer["probabilities"], expected.probabilities, atol=1e-5, rtol=0)
    assert np.mean(answer["labels"].numpy() == expected.labels.numpy()) > 0.9999
    translated = signatures["translate"](image=images)["translated"]
    np.testing.assert_allclose(translated, expected.translated, atol=1e-5, rtol=0)
