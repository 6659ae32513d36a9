"""Records are used with a run where their target scans look and are named as those that it learned from."""

import pytest

from attent_tf.configs import load_config
from attent_tf.data.manifest import make_manifest
from attent_tf.errors import RecordsError
from attent_tf.inference.preparation import check_preparation
from attent_tf.methods import get_method
from attent_tf.runs import Run
from attent_tf.tasks import parse_rule, rule_text, task_from_mapping
from attent_tf.volumes import PrepareOptions

TASK = {"name": "small", "structures": ["bright", "dark"], "domains": {"t1": "mri", "t2": "mri", "late": "ct"}}


def _check(found, learned=None, **changes):
    learned = learned or PrepareOptions()
    task, other = task_from_mapping(TASK, "small"), task_from_mapping(TASK | changes, "other")
    run = Run("run", get_method("attent"), "t12t2", load_config("demo"), "0" * 64, learned, task)
    check_preparation(run, "records", make_manifest(other, {"preparation": found.to_json()}, [], []))


def test_a_rule_that_is_said_equals_the_same_one_of_the_task():
    rule = task_from_mapping(TASK, "small").domain("t2").intensity
    _check(PrepareOptions())
    _check(PrepareOptions(intensity={"t2": rule}))
    _check(PrepareOptions(), PrepareOptions(intensity={"t2": rule}))


def test_of_rules_the_targets_alone_counts():
    other = parse_rule("zscore:3")
    _check(PrepareOptions(intensity={"t1": other, "late": other}))
    for found, learned in (({"t2": other}, {}), ({}, {"t2": other})):
        with pytest.raises(RecordsError, match=r"^records: prepared with intensity .* preprocess in the same way"):
            _check(PrepareOptions(intensity=found), PrepareOptions(intensity=learned))
    domains = TASK["domains"] | {"t2": {"kind": "mri", "intensity": rule_text(other)}}
    with pytest.raises(RecordsError, match="prepared with intensity"):
        _check(PrepareOptions(), domains=domains)


def test_another_grid_is_refused():
    with pytest.raises(RecordsError, match=r"prepared with pixel_mm 2\.0, the run was trained with 1\.6"):
        _check(PrepareOptions(pixel_mm=2.0))


@pytest.mark.parametrize("changes", [{"structures": ["dark", "bright"]}, {"domains": {"t1": "mri", "late": "ct"}}])
def test_records_of_another_task_are_refused(changes):
    with pytest.raises(
        RecordsError, match=r"^records: expected the run's task small, bright, dark in t2; found small, "
    ):
        _check(PrepareOptions(), **changes)
