"""`run.json` comes back as the run that wrote it, or one line says what is wrong with it."""

import json

import pytest

from attent_tf.configs import load_config
from attent_tf.errors import RunError
from attent_tf.methods import get_method
from attent_tf.runs import Run, create_or_check, load_run
from attent_tf.tasks import load_task, parse_rule
from attent_tf.volumes import PrepareOptions


@pytest.fixture
def run(tmp_path):
    options = PrepareOptions(pixel_mm=2.0, neighbours=1, intensity={"mri": parse_rule("zscore:3")})
    made = Run(tmp_path / "run", get_method("attent"), "mri2ct", load_config("demo"), "f" * 64, options, load_task())
    create_or_check(made, ["CPU:0"])
    return made


def test_a_run_comes_back(run):
    assert load_run(run.folder) == run
    create_or_check(load_run(run.folder), [])


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"direction": None}, "direction: expected text, found None"),
        ({"method": "atent"}, "method: unknown method 'atent': .*; did you mean 'attent'"),
        (
            {"config": {"translation": {"stepz": 3}}},
            r"config: unknown key 'translation\.stepz'; did you mean 'translation\.s",
        ),
        ({"config": {"log_every": 0}}, "config: log_every: expected at least 1, found 0"),
        ({"preparation": {"size": 3}}, "preparation: expected the keys geometry, size, "),
        ({"task": {"name": "abdomen"}}, "task: expected the keys name, structures, domains; structures is missing"),
    ],
)
def test_a_damaged_file_is_one_line(run, change, line):
    path = run.folder / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(RunError, match=rf"run\.json: {line}.*; the file was damaged or edited$") as caught:
        load_run(run.folder)
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named(run):
    path = run.folder / "run.json"
    path.write_text(json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key != "records"}))
    with pytest.raises(RunError, match=r"run\.json: expected the keys method, .*; records is missing; the file was"):
        load_run(run.folder)
