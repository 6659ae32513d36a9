"""What a run of every method does; one that is added to the catalogue inherits these tests."""

import json

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.deployment import METADATA_FILE
from attent_tf.export.saved_model import export_chain
from attent_tf.inference.chain import load_chain
from attent_tf.inference.evaluate import evaluate
from attent_tf.methods import METHODS, get_method, part_name
from attent_tf.runs import load_run
from attent_tf.training.train import train
from tests.methods.tiny import STEPS, kinds_of_steps, tiny_config
from tests.support.small_runs import SilentObserver


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_method_is_named_once_and_says_what_it_does(method):
    assert [one.title for one in METHODS.values()].count(method.title) == 1
    assert method.note
    assert method.note[0].islower()
    assert not method.note.endswith(".")


# One method for each kind of update, since a run that goes on is traced twice.
_INTERRUPTED = {method.id for method, stage in kinds_of_steps().values() if stage == method.stages[-1]}


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
def records(small_records):
    return small_records


@pytest.fixture(scope="module")
def donors():
    """Stage -> folder of the first run that trained it, for those that may share it."""
    return {}


@pytest.fixture(scope="module", params=METHODS)
def trained(request, records, donors, tmp_path_factory):
    """A run of each method, some interrupted in the last stage and gone on with, and what was said of the rest of it."""
    method = get_method(request.param)
    folder, config = tmp_path_factory.mktemp("runs") / method.id, tiny_config(method)
    donor = donors.setdefault(method.shareable_stage, folder) if method.shareable_stage else folder
    more = {} if donor == folder else {"translation_from": donor}
    if method.id in _INTERRUPTED:
        with pytest.raises(KeyboardInterrupt):
            train(records, folder, method.id, "mri2ct", config, _InterruptedInTheLastStage(method), **more)
        more = {}
    observer = SilentObserver()
    train(records, folder, method.id, "mri2ct", config, observer, **more)
    return load_run(folder), observer.lines


@pytest.mark.slow
def test_a_run_comes_to_its_end_interrupted_or_not(trained):
    run, lines = trained
    went_on = any(line.endswith(f": goes on at step {STEPS // 2} of {STEPS}") for line in lines)
    assert went_on == (run.method.id in _INTERRUPTED)
    for stage in run.method.stages:
        rows = (run.stage_folder(stage.id) / "history.csv").read_text().splitlines()
        steps = [row.split(",")[0] for row in rows]
        # Another phase may begin in between, which is another row.
        assert (steps[0], steps[-1]) == ("step", str(STEPS))
        assert steps[1:] == sorted(set(steps[1:]), key=int)


@pytest.mark.slow
def test_the_run_folder_has_the_stages_and_networks_of_the_method(trained):
    run, _ = trained
    assert {path.parent.name for path in run.folder.glob("*/stage.json")} == {stage.id for stage in run.method.stages}
    for stage in run.method.stages:
        newest = tf.train.latest_checkpoint(str(run.stage_folder(stage.id) / "checkpoints"))
        held = {key.split("/")[0] for key in tf.train.load_checkpoint(newest).get_variable_to_shape_map()}
        assert {part_name(part.role, run.source, run.target) for part in stage.parts} <= held


@pytest.mark.slow
def test_the_deployed_chain_is_what_the_method_says(trained):
    run, _ = trained
    chain = load_chain(run)
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
