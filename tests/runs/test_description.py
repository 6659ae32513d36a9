"""What stages say of themselves: kept beside what they said before, and read strictly."""

import json
from types import SimpleNamespace

import pytest

from attent_tf.errors import RunError
from attent_tf.runs.description import StageDescription, describe_stage, stage_description


@pytest.fixture
def run(tmp_path):
    (tmp_path / "translation").mkdir()
    return SimpleNamespace(folder=tmp_path, stage_folder=lambda stage: tmp_path / stage)


def test_facts_are_added_to_those_before(run):
    assert stage_description(run.folder, "translation") == StageDescription()
    describe_stage(run, "translation", steps=6, devices=["CPU:0"])
    describe_stage(run, "translation", seconds=2, labels={"0": {"volumes": 3, "thresholds": {"liver": 0.5}}})
    describe_stage(run, "translation", refused="no volume is left", own=[1])
    found = stage_description(run.folder, "translation")
    labels = {"0": {"volumes": 3, "thresholds": {"liver": 0.5}}}
    assert found == StageDescription(6, ("CPU:0",), 2.0, labels, "no volume is left")
    assert list(json.loads((run.folder / "translation" / "stage.json").read_text())) == [
        *("steps", "devices", "seconds", "labels", "refused", "own")
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "stage.json: not valid JSON"),
        ("[]", "stage.json: expected keys such as steps, devices, seconds, found []; the file was damaged or edited"),
        ('{"steps": "6"}', "stage.json: steps: expected a whole number, found '6'; the file was damaged or edited"),
    ],
)
def test_a_damaged_file_is_one_line(run, text, told):
    (run.folder / "translation" / "stage.json").write_text(text)
    with pytest.raises(RunError) as caught:
        stage_description(run.folder, "translation")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
