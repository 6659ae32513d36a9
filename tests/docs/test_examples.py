"""What the documents show runs as it stands."""

import re
from pathlib import Path

import pytest

import attent_tf as at
from attent_tf.phantom import write_shapes

_ROOT = Path(__file__).resolve().parents[2]


_PAGE = _ROOT / "docs" / "python-api.md"


def test_every_public_name_is_shown_in_use():
    examples = "\n".join(re.findall(r"```python\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL))
    shown = set(re.findall(r"\bat\.(\w+)", examples)) | {"Observer"}  # a protocol, of which the text speaks
    assert shown == set(at.__all__)


@pytest.mark.slow
@pytest.mark.eager
def test_the_python_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_shapes(tmp_path / "shapes", 2, 0)
    blocks = re.findall(r"```python\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict = {}
    for block in blocks:
        exec(compile(block, "python-api.md", "exec"), names)
    assert names["eq_5"].shape == (2,)
    assert (tmp_path / "benchmark" / "benchmark.md").read_text() == names["table"].markdown


def test_every_name_beside_an_equation_exists():
    import importlib

    names = re.findall(r"`(attent_tf\.[\w.]+)`", (_ROOT / "docs" / "method.md").read_text())
    assert len(names) >= 12
    for name in names:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


def test_each_row_of_the_table_of_inputs_names_tests_that_exist():
    text = (_ROOT / "docs" / "datasets.md").read_text()
    table = text.split("## What is read, converted, warned of and refused")[1].split("\n## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ") and "**" not in line][1:]
    assert len(rows) >= 40
    for *_, tests in rows:
        named = re.findall(r"`([\w/]+\.py)`", tests)
        assert named, tests
        for name in named:
            assert "def test_" in (_ROOT / "tests" / name).read_text(), name


def test_documents_use_only_verbs_and_options_that_exist():
    from cli.main import VERBS, main

    pages = [_ROOT / "README.md", *(_ROOT / "docs").glob("*.md"), *(_ROOT / "attent_tf" / "configs").glob("*.yaml")]
    commands = [match for page in pages for match in re.findall(r"\battent ([a-z]+)((?: [^\n`|]*)?)", page.read_text())]
    assert commands
    for verb, rest in commands:
        if verb not in VERBS:
            continue
        command = main.get_command(None, verb)
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        for option in re.findall(r"(?<!\S)--[a-z][a-z-]*", rest.split(" -- ")[0]):
            assert option in known, f"attent {verb} {option}"
