"""YAML of users: plain values, or one line that names the file."""

import pytest

from attent_tf.errors import ConfigError
from attent_tf.yaml_text import parse_yaml, read_yaml


def test_values_are_plain():
    text = (
        "name: x\nrates: [6, 12]\nbase: &base {a: 1, b: 2}\nmore: {<<: *base, b: 3}\nagain: *base\n1: whole\n'1': text"
    )
    assert parse_yaml(text, "x.yaml") == {
        "name": "x",
        "rates": [6, 12],
        "base": {"a": 1, "b": 2},
        "more": {"a": 1, "b": 3},
        "again": {"a": 1, "b": 2},
        1: "whole",
        "1": "text",
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: [1, 2\n b: }", "line 2"),
        ("seed: 2026-13-45", "month"),
        ("flag: !!bool maybe", "maybe"),
        ("when: !!timestamp soon", ""),
        ("count: !!int ''", ""),
        ("[" * 5000, ""),
        ("{[1]: 2}", ""),
        ("a: *nowhere", "nowhere"),
        ("a: !!python/object/apply:os.getcwd []", "python/object"),
        ("steps: 1\nrates: [1]\nsteps: 2", "key 'steps' is there twice in .*line 3"),
        ("a:\n  b: {c: 1, c: 2}", "key 'c' is there twice"),
        ("a: \x00", ""),
    ],
)
def test_faults_are_one_line(text, found):
    with pytest.raises(ConfigError, match=rf"^x\.yaml: not valid YAML \(.*{found}") as refused:
        parse_yaml(text, "x.yaml")
    assert "\n" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_named_with_what_it_should_be(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: expected a split file, No such file"):
        read_yaml(tmp_path / "none.yaml", "a split file")
    (tmp_path / "latin.yaml").write_bytes("name: Düsseldorf".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"latin\.yaml: expected a split file as YAML text in UTF-8"):
        read_yaml(tmp_path / "latin.yaml", "a split file")
