"""Evaluations of tasks with other structures than the abdomen's: what is averaged, and what goes into files."""

import csv
import json
import math

import numpy as np
import pytest

from attent_tf.errors import ConfigError, InputError
from attent_tf.evaluation.case_result import CaseResult
from attent_tf.evaluation.comparison import compare_runs, read_runs
from attent_tf.evaluation.comparison_files import comparison_json, scores_csv
from attent_tf.evaluation.folder import read_evaluation, write_evaluation
from attent_tf.metrics.scores import score_case
from attent_tf.metrics.summary import average_intervals, summarise
from tests.support.amos_task import AMOS, columns_of_structures
from tests.support.small_tasks import SMALL

_HEADER = {"method": "tool", "direction": "t12t2", "protocol": "volume_3d", "seed": 0}


def _case(task, missed=()):
    labels = columns_of_structures(task)
    indices = [task.class_names.index(name) for name in missed]
    prediction = np.where(np.isin(labels, indices), 0, labels).astype(np.uint8)
    return CaseResult("one", None, None, prediction, (5.0, 1.5, 1.5), reference=labels)


@pytest.mark.parametrize("task", [SMALL, AMOS], ids=lambda task: task.name)
def test_every_structure_of_a_task_has_its_scores(task):
    labels = columns_of_structures(task)
    scores = score_case(labels, labels, (5.0, 1.5, 1.5), task.structure_names)
    assert tuple(scores) == task.structure_names
    assert all(score["dice"] == 100.0 and score["assd_mm"] == 0.0 for score in scores.values())


def test_labels_beyond_the_last_class_are_refused():
    labels = columns_of_structures(AMOS)
    with pytest.raises(InputError, match="prediction: expected class indices 0 to 2, found 3"):
        score_case(labels, labels, (5.0, 1.5, 1.5), SMALL.structure_names)


def test_structures_that_are_not_scored_have_summaries_and_count_in_no_average():
    unit = score_case(*[columns_of_structures(AMOS)] * 2, (5.0, 1.5, 1.5), AMOS.structure_names)
    bad = {**unit, "bladder": {**unit["bladder"], "dice": 0.0, "assd_mm": math.inf}}
    each, average = summarise([bad, bad], AMOS.structure_names, AMOS.scored_names)
    assert tuple(each) == AMOS.structure_names
    assert each["bladder"]["dice"]["mean"] == 0.0
    assert (average["dice"], average["assd_mm"]) == (100.0, 0.0)
    assert average_intervals([bad, bad], AMOS.scored_names)["dice"] == (100.0, 100.0)


@pytest.mark.parametrize("task", [SMALL, AMOS], ids=lambda task: task.name)
def test_a_folder_keeps_its_task(task, tmp_path):
    missed = task.structure_names[-1]
    written = write_evaluation(tmp_path / "e", task, _HEADER, [_case(task, [missed])])
    assert read_evaluation(tmp_path / "e").task == written.task == task
    assert tuple(written.structures) == task.structure_names
    (case,) = written.cases
    assert case.states == {missed: "missed"}
    with (tmp_path / "e" / "cases.csv").open() as file:
        assert [row["organ"] for row in csv.DictReader(file)] == list(task.structure_names)
    # The last structure of the large task is not scored.
    assert written.average["dice"] == (50.0 if task is SMALL else 100.0)


def test_folders_without_a_task_are_refused_in_a_line_that_says_how_to_go_on(tmp_path):
    write_evaluation(tmp_path / "e", SMALL, _HEADER, [_case(SMALL)])
    path = tmp_path / "e" / "metrics.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in content.items() if key != "task"}))
    with pytest.raises(InputError, match=r"metrics\.json: expected the task .*; evaluate again$"):
        read_evaluation(tmp_path / "e")
    path.write_text(json.dumps({**content, "task": {**content["task"], "structures": []}}))
    with pytest.raises(InputError, match=r"metrics\.json: task: structures: .*; evaluate again$"):
        read_evaluation(tmp_path / "e")


def test_the_key_of_the_task_is_no_free_one(tmp_path):
    with pytest.raises(ConfigError, match="'task' is reserved"):
        write_evaluation(tmp_path / "e", SMALL, {**_HEADER, "task": "x"}, [_case(SMALL)])


def test_runs_of_a_task_are_compared_by_its_structures_and_average(tmp_path):
    for name, missed in (("good", ()), ("bad", ("bladder", "liver"))):
        header = {**_HEADER, "method": name}
        write_evaluation(tmp_path / name, AMOS, header, [_case(AMOS, missed)])
    comparison = compare_runs(read_runs([tmp_path / "good", tmp_path / "bad"]))
    assert comparison.columns == (*AMOS.structure_names, "average")
    dice = {difference.column: difference.statistics.mean_difference for difference in comparison.differences}
    assert (dice["liver"], dice["bladder"], dice["aorta"]) == (100.0, 100.0, 0.0)
    assert dice["average"] == pytest.approx(100 / len(AMOS.scored_names))
    assert comparison_json(comparison)["task"]["name"] == "amos"
    assert len(scores_csv(comparison).splitlines()) == 1 + 2 * 16


def test_runs_of_different_tasks_are_not_compared(tmp_path):
    for task in (SMALL, AMOS):
        write_evaluation(tmp_path / task.name, task, {**_HEADER, "method": task.name}, [_case(task)])
    with pytest.raises(InputError, match=r"amos: expected the structures of small \(bright, dark\), found spleen"):
        compare_runs(read_runs([tmp_path / "small", tmp_path / "amos"]))
