"""Whole runs: what a stage may see, and how an interrupted one goes on."""

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import load_config
from attent_tf.data import slices as slices_module
from attent_tf.errors import RunError
from attent_tf.inference.chain import load_chain
from attent_tf.training import shown_slices
from attent_tf.training.train import train
from tests.support.small_runs import TINY, InterruptingObserver, SilentObserver

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def config():
    return load_config("demo", TINY)


def _weights(run):
    chain = load_chain(run)
    return [v.numpy() for model in chain.networks for v in model.variables]


@pytest.fixture(scope="module")
def undisturbed(records, config, tmp_path_factory):
    return train(records, tmp_path_factory.mktemp("undisturbed"), "source_only", "mri2ct", config, SilentObserver())


@pytest.mark.eager
def test_an_interrupted_run_goes_on_as_if_undisturbed(undisturbed, records, config, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(records, tmp_path / "b", "source_only", "mri2ct", config, InterruptingObserver(3))
    observer = SilentObserver()
    resumed = train(records, tmp_path / "b", "source_only", "mri2ct", config, observer)
    assert any("goes on at step" in line for line in observer.lines)
    for a, b in zip(_weights(undisturbed), _weights(resumed), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-3, atol=1e-5)
    history = (tmp_path / "b" / "segmentation" / "history.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in history] == ["step", "2", "4", "6"]


@pytest.mark.eager
def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(records, config, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(records, tmp_path, "source_only", "mri2ct", config, InterruptingObserver(5))
    newest = tf.train.latest_checkpoint(str(tmp_path / "segmentation" / "checkpoints"))
    with open(newest + ".index", "r+b") as file:
        file.truncate(20)
    observer = SilentObserver()
    train(records, tmp_path, "source_only", "mri2ct", config, observer)
    assert any("damaged checkpoint" in line and "ckpt-4" in line for line in observer.lines)
    assert any("goes on at step 2" in line for line in observer.lines)


@pytest.mark.eager
@pytest.mark.parametrize(
    ("method", "read"),
    [
        ("source_only", {("mri", "train", True)}),
        ("supervised", {("ct", "train", True)}),
        ("entropy", {("mri", "train", True), ("ct", "train", False)}),
        ("cyclegan", {("mri", "train", False), ("ct", "train", False), ("mri", "train", True)}),
    ],
)
def test_methods_read_no_label_and_no_case_that_they_may_not_see(records, tmp_path, monkeypatch, method, read):
    seen, config = set(), load_config("demo", [*TINY, "translation.steps=2", "segmentation.steps=2"])

    def watch(folder, manifest, domain, split, size, labels):
        seen.add((domain, split, labels))
        return slices_module.load_slices(folder, manifest, domain, split, size, labels)

    monkeypatch.setattr(shown_slices, "load_slices", watch)
    train(records, tmp_path / method, method, "mri2ct", config, SilentObserver())
    assert seen == read


@pytest.mark.eager
def test_a_loss_that_is_not_finite_stops_the_run(records, tmp_path):
    config = load_config("demo", [*TINY, "segmentation.segmentor.learning_rate=1e30"])
    with pytest.raises(RunError, match="not finite"):
        train(records, tmp_path, "source_only", "mri2ct", config, SilentObserver())


def test_weights_that_the_last_update_spoiled_are_never_saved(records, tmp_path, monkeypatch):
    """The losses of an interval are those before its last update."""
    from attent_tf.training.weight_update import WeightUpdate

    apply = WeightUpdate.apply

    def spoil(update, gradients):
        # Traced once, so the step must decide in the graph: the optimizer has counted three updates.
        bad = tf.where(update.optimizer.iterations.value >= 3, float("nan"), 1.0)
        apply(update, [gradient * bad for gradient in gradients])

    monkeypatch.setattr(WeightUpdate, "apply", spoil)
    config = load_config("demo", TINY)
    with pytest.raises(RunError, match=r"weights of segmentor not finite at step 4; the last good checkpoint is kept"):
        train(records, tmp_path, "source_only", "mri2ct", config, SilentObserver())
    newest = tf.train.latest_checkpoint(str(tmp_path / "segmentation" / "checkpoints"))
    assert newest.endswith("ckpt-2")
    monkeypatch.undo()
    train(records, tmp_path, "source_only", "mri2ct", config, SilentObserver())


@pytest.mark.eager
def test_learning_rates_and_accuracies_are_shown_in_tensorboard(records, config, tmp_path):
    train(records, tmp_path, "entropy", "mri2ct", config, SilentObserver())
    (events,) = (tmp_path / "segmentation" / "events").iterdir()
    tags = {value.tag for event in tf.compat.v1.train.summary_iterator(str(events)) for value in event.summary.value}
    assert {
        "segmentor",
        "accuracy",
        "learning_rate_segmentor",
        "learning_rate_judge_main",
        "labelled",
        "target",
    } <= tags


@pytest.mark.eager
def test_the_seed_decides_the_result(records, tmp_path):
    def first_loss(name, seed):
        seeded = load_config("demo", [*TINY, "segmentation.steps=2", f"seed={seed}"])
        train(records, tmp_path / name, "source_only", "mri2ct", seeded, SilentObserver())
        return (tmp_path / name / "segmentation" / "history.csv").read_text().splitlines()[1].split(",")[1]

    first = first_loss("a", 1)
    assert float(first_loss("b", 1)) == pytest.approx(float(first), rel=1e-4)
    assert first_loss("c", 2) != first


@pytest.mark.eager
def test_a_checkpoint_that_cannot_be_written_is_one_line_and_the_one_before_stays(
    records, config, tmp_path, monkeypatch
):
    save = tf.train.CheckpointManager.save

    def full(manager, checkpoint_number=None, **options):
        if checkpoint_number == 4:
            raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")
        return save(manager, checkpoint_number=checkpoint_number, **options)

    monkeypatch.setattr(tf.train.CheckpointManager, "save", full)
    with pytest.raises(
        RunError, match=r"checkpoint of step 4, .*No space left on device\); ckpt-2 is kept, make room"
    ) as stopped:
        train(records, tmp_path, "source_only", "mri2ct", config, SilentObserver())
    assert "\n" not in str(stopped.value)
    monkeypatch.undo()
    observer = SilentObserver()
    train(records, tmp_path, "source_only", "mri2ct", config, observer)
    assert any("goes on at step 2 of 6" in line for line in observer.lines)


@pytest.mark.eager
def test_what_is_needed_to_repeat_a_run_stands_in_its_folder(records, config, tmp_path):
    import json

    from attent_tf.data.manifest import read_manifest
    from attent_tf.training.strategies import make_strategy

    train(records, tmp_path, "source_only", "mri2ct", config, SilentObserver(), strategy=make_strategy("one"))
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["records"] == read_manifest(records).fingerprint
    assert run["seed"] == config.seed
    assert run["devices"] == ["CPU:0"]
    assert {"python", "attent-tf", "tensorflow", "keras", "commit"} <= run["versions"].keys()
    stage = json.loads((tmp_path / "segmentation" / "stage.json").read_text())
    assert stage.pop("seconds") > 0
    assert stage == {"steps": 6, "devices": ["CPU:0"]}


def test_strategies_are_chosen_by_name():
    from attent_tf.errors import ConfigError
    from attent_tf.training.strategies import make_strategy

    assert isinstance(make_strategy("one"), tf.distribute.OneDeviceStrategy)
    assert isinstance(make_strategy("auto"), tf.distribute.MirroredStrategy)
    with pytest.raises(
        ConfigError, match="--strategy: expected one of auto, one, mirrored, multi_worker, found 'many'"
    ):
        make_strategy("many")


@pytest.mark.eager
def test_a_failed_translation_is_told_in_training_and_in_the_scores(records, config, tmp_path):
    """Six steps teach no translation, so that nothing, or anything, is found in translated slices."""
    from attent_tf.inference.evaluate import evaluate
    from attent_tf.runs.translation_check import read_warning

    observer = SilentObserver()
    run = train(records, tmp_path / "run", "pixel", "mri2ct", config, observer)
    warning = read_warning(run.folder)
    assert warning is not None
    assert f"Warning: {warning}" in observer.lines
    evaluation = evaluate(run, records, tmp_path / "evaluation", SilentObserver())
    assert warning in evaluation.header["warnings"]
