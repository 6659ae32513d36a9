"""Networks and steps of tasks with other numbers of classes than the paper's; methods of the catalogue inherit these tests."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from attent_tf import losses
from attent_tf.configs import load_config
from attent_tf.errors import ConfigError
from attent_tf.methods import METHODS, get_method
from attent_tf.runs.networks import make_part
from attent_tf.tasks import task_from_mapping
from attent_tf.training.panels import SegmentationPanel
from attent_tf.training.steps.step import step_class
from tests.methods.tiny import tiny_config
from tests.support.abdomen import ABDOMEN
from tests.support.inner_steps import make_inner, random_batch, small_config
from tests.support.small_tasks import LARGE, SMALL


def _segmentors():
    """The first part of each network that gives classes, with its method's configuration; and the segmentor of PnP-AdaNet."""
    found = {}
    for method in METHODS.values():
        for stage in method.stages:
            for part in stage.parts:
                found.setdefault(part.network, (tiny_config(method), part))
    config, segmentor = found["attent_tf.runs.configured:segmentor"]
    section = dataclasses.replace(config.segmentation, backbone="pnp_adanet")
    found["pnp_adanet"] = (dataclasses.replace(config, segmentation=section), segmentor)
    return {name.rpartition(":")[2]: entry for name, entry in found.items() if "segmentor" in entry[1].network}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "task"),
    # PnP-AdaNet's has 512 channels a class.
    [(name, task) for name in _segmentors() for task in (SMALL, LARGE) if (name, task) != ("pnp_adanet", LARGE)],
)
def test_segmentors_have_a_channel_for_each_class_of_the_task(name, task):
    config, part = _segmentors()[name]
    network = make_part(part, config, task, "t12t2")
    output = network(tf.zeros((1, 32, 32, 1)))
    assert output.main.shape == output.aux.shape == (1, 32, 32, task.num_classes)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_deployed_segments_by_such_a_network(method):
    method = get_method(method)
    for path in method.deployment:
        part = method.part(path.roles[-1])
        assert make_part(part, tiny_config(method), LARGE, "t22t1").num_classes == 16


def test_networks_are_named_by_the_domains_of_the_task():
    method = get_method("attent")
    named = [make_part(part, tiny_config(method), SMALL, "t12t2").name for part in method.stages[0].parts]
    assert named == ["t2_to_t1", "t1_to_t2", "judge_t1", "judge_t2"]


@pytest.mark.parametrize("classes", [2, 3, 16])
def test_a_uniform_prediction_has_entropy_1_whatever_the_number_of_classes(classes):
    np.testing.assert_allclose(losses.entropy_map(tf.zeros((1, 2, 2, classes))), 1.0, rtol=1e-6)


def test_panels_span_all_greys():
    class Output:
        main = tf.one_hot([[[0, 2], [1, 2]]], 3, 9.0, -9.0)

    image = SegmentationPanel(lambda images, training: Output, np.zeros((3, 2, 2, 1), np.float32), None)._row(
        tf.zeros((1, 2, 2, 1)), None
    )
    np.testing.assert_allclose(image[0, :, 2:4, 0], [[0, 1], [0.5, 1]])


def test_weights_of_classes_are_those_of_the_task_where_none_are_given():
    check = step_class(get_method("synseg").stages[0]).check
    check(load_config("demo"), LARGE, True)
    given = load_config("demo", ["synseg.class_weights=[1, 1, 10, 10, 1]"])
    check(given, ABDOMEN, True)
    with pytest.raises(
        ConfigError, match=r"synseg\.class_weights: expected 3 numbers, of background, bright, dark, or none"
    ):
        check(given, SMALL, True)


def test_labels_of_too_many_classes_for_their_codes_are_refused():
    names = [f"s{number}" for number in range(85)]
    check = step_class(get_method("source_st").stages[-1]).check
    for count, refused in ((84, False), (85, True)):
        task = task_from_mapping({"name": "many", "structures": names[:count], "domains": {"a": "ct", "b": "ct"}}, "x")
        if refused:
            with pytest.raises(ConfigError, match="at most 84 structures, the task many has 85"):
                check(load_config("demo"), task, True)
        else:
            check(load_config("demo"), task, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["synseg/joint", "sifa_v2/joint", "pnp_adanet/segmentation", "source_st/self_training"]
)
def test_steps_that_count_classes_count_those_of_the_task(name):
    method, stage = name.split("/")
    inner = make_inner(method, stage, small_config(), "t12t2", task=SMALL)
    batch = random_batch(get_method(method).stage(stage), num_classes=SMALL.num_classes)
    phase, _ = inner.phase(0)
    metrics = inner.update(phase, tf.constant(0, tf.int64), *batch)
    assert all(np.isfinite(value) for value in metrics.values())
