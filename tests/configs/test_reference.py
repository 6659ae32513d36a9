"""The page of configuration keys is the one that the code gives, and lacks no key."""

import dataclasses
from pathlib import Path

from attent_tf.configs import Config
from attent_tf.configs.reference import reference_markdown

_PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def _keys(cls, prefix=""):
    for field in dataclasses.fields(cls):
        if dataclasses.is_dataclass(field.type):
            yield from _keys(field.type, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name


def test_the_page_is_up_to_date():
    assert _PAGE.read_text(encoding="utf-8") == reference_markdown()


def test_every_key_has_a_line_with_its_meaning_and_default():
    rows = {
        line.split(" | ")[0].strip("| `"): line for line in _PAGE.read_text().splitlines() if line.startswith("| `")
    }
    assert set(rows) == set(_keys(Config))
    assert "| 10.0 |" in rows["translation.cycle_weight"]
    assert all(row.split(" | ")[1].strip() for row in rows.values())
