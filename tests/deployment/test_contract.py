"""What a client reads of a model's metadata."""

import json

import pytest

from attent_tf.deployment import read_contract
from attent_tf.errors import InputError
from attent_tf.postprocessing import Postprocessing
from attent_tf.tasks import task_to_mapping
from attent_tf.volumes import PrepareOptions
from tests.support.abdomen import ABDOMEN, CLASS_NAMES
from tests.support.small_tasks import SMALL

_GOOD = {
    "format": 2,
    "method": "entropy",
    "direction": "ct2mri",
    "training": {"records": "abc", "weights_sha256": "def"},
    "task": task_to_mapping(ABDOMEN),
    "classes": list(CLASS_NAMES),
    "preparation": PrepareOptions(pixel_mm=2.0, neighbours=1).to_json(),
}


def _write(folder, content):
    (folder / "metadata.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return folder / "metadata.json"


def test_the_file_or_its_folder_may_be_named(tmp_path):
    path = _write(tmp_path, _GOOD)
    contract = read_contract(path)
    assert contract == read_contract(tmp_path)
    assert (contract.source, contract.target, contract.method.id) == ("ct", "mri", "entropy")
    assert contract.describe() == {
        "metadata": str(path),
        "method": "entropy",
        "direction": "ct2mri",
        "task": "abdomen",
        "target": "mri",
        "records": "abc",
        "weights_sha256": "def",
    }
    assert contract.prepare_options == PrepareOptions(pixel_mm=2.0, neighbours=1)
    assert contract.task == ABDOMEN


def test_classes_and_domains_are_those_of_the_models_own_task(tmp_path):
    of_task = {"task": task_to_mapping(SMALL), "classes": list(SMALL.class_names), "direction": "t22t1"}
    contract = read_contract(_write(tmp_path, _GOOD | of_task))
    assert (contract.task, contract.source, contract.target) == (SMALL, "t2", "t1")


def test_postprocessing_is_read_where_the_file_has_it(tmp_path):
    assert not read_contract(_write(tmp_path, _GOOD)).postprocessing
    steps = {"largest_component": True, "fill_holes": False, "where": "by the client"}
    contract = read_contract(_write(tmp_path, {**_GOOD, "postprocessing": steps}))
    assert contract.postprocessing == Postprocessing(largest_component=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json", "expected JSON"),
        ([1], "expected metadata of format 2"),
        ({**_GOOD, "format": 1}, "expected metadata of format 2"),
        (
            {key: value for key, value in _GOOD.items() if key != "direction"},
            "expected the keys method, direction, .*; direction is missing",
        ),
        ({**_GOOD, "method": ["entropy"]}, "unknown method"),
        ({**_GOOD, "method": "atent"}, "did you mean 'attent'"),
        ({**_GOOD, "training": {}}, "training: expected the keys records, weights_sha256; records is missing"),
        ({**_GOOD, "training": None}, "training: expected the keys .* found None; take the file that attent export"),
        ({**_GOOD, "direction": "ct2pet"}, "unknown direction 'ct2pet'"),
        ({**_GOOD, "preparation": {"size": 3}}, "preparation: expected the keys geometry, size, "),
        ({key: value for key, value in _GOOD.items() if key != "task"}, "; task is missing"),
        ({**_GOOD, "task": {"name": "abdomen"}}, "task: expected the keys"),
        ({**_GOOD, "task": task_to_mapping(SMALL)}, "unknown direction 'ct2mri': expected one of t12t2, t22t1"),
        ({**_GOOD, "classes": ["background", "heart"]}, "found background, heart"),
        ({**_GOOD, "classes": None}, "classes: expected a list, found None; .*attent export"),
        ({**_GOOD, "postprocessing": {"fill_holes": 1}}, "fill_holes: expected true or false"),
        ({**_GOOD, "postprocessing": "all"}, "postprocessing: expected the keys .*, found 'all'; .*attent export"),
    ],
)
def test_what_is_wrong_is_one_line(content, message, tmp_path):
    path = _write(tmp_path, content)
    with pytest.raises(InputError, match=message) as caught:
        read_contract(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputError, match="no such file; take the file that attent export wrote"):
        read_contract(tmp_path)
