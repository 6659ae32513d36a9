"""The catalogue holds all that is public in `layers`, `models` and `losses`, each row under a name of its own."""

import importlib
import inspect
import pkgutil

import pytest

from attent_tf import layers, losses, models
from tests.conformance import catalogue
from tests.conformance.goldens import CHECKPOINTS, recorded_outputs, recorded_variables

PACKAGES = (layers, models, losses)


def public(package) -> list:
    """Returns the public classes and functions of a package, whether it exports them or only its modules do."""
    found = [getattr(package, name) for name in package.__all__]
    for module in pkgutil.iter_modules(package.__path__):
        members = vars(importlib.import_module(f"{package.__name__}.{module.name}"))
        found += [value for name, value in members.items() if not name.startswith("_") and _is_of(value, package)]
    return list({id(value): value for value in found if inspect.isclass(value) or inspect.isfunction(value)}.values())


def _is_of(value, package):
    return (getattr(value, "__module__", None) or "").startswith(package.__name__)


def listed() -> list:
    """Returns what the catalogue speaks of."""
    return [row.subject for row in (*catalogue.ALL, *catalogue.STATEFUL)] + list(catalogue.OTHERS)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_all_that_is_public_is_listed(package):
    missing = [value.__name__ for value in public(package) if value not in listed()]
    assert not missing, f"tests/conformance/catalogue.py: expected a row for each of {missing}, found none; add one"


def test_a_class_without_a_row_is_noticed(monkeypatch):
    monkeypatch.setattr(catalogue, "ALL", tuple(row for row in catalogue.ALL if row.name != "attention_gate"))
    with pytest.raises(AssertionError, match=r"a row for each of \['AttentionGate'\]"):
        test_all_that_is_public_is_listed(layers)


def test_rows_have_names_of_their_own_and_goldens_belong_to_rows():
    rows = (*catalogue.ALL, *catalogue.STATEFUL)
    names = [row.name for row in rows]
    assert len(names) == len(set(names))
    assert set(recorded_outputs()) == set(names)
    stored = {path.stem for path in CHECKPOINTS.iterdir()}
    assert stored == set(recorded_variables()) <= set(names)


def test_goldens_are_small():
    sizes = [path.stat().st_size for path in CHECKPOINTS.parent.rglob("*") if path.is_file()]
    assert sum(sizes) < 300_000
