"""Docstrings: one line that says what it is, every argument, shapes, and the paper's source where there is one."""

import inspect
import re
import sys

import keras
import pytest

from attent_tf import layers, losses, models
from tests.conformance.catalogue import ALL, STATEFUL, over
from tests.conformance.test_completeness import public

_SUBJECTS = list(
    dict.fromkeys([*(x for p in (layers, losses, models) for x in public(p)), *(r.subject for r in ALL + STATEFUL)])
)
_SOURCES = list({row.subject: row for row in reversed(ALL) if row.source}.values())


@pytest.mark.parametrize("subject", _SUBJECTS, ids=lambda subject: subject.__name__)
def test_what_is_public_is_documented(subject):
    assert _faults(subject) == []


@over(_SOURCES)
def test_the_papers_source_is_named(row):
    text = inspect.getdoc(row.subject) + sys.modules[row.subject.__module__].__doc__
    numbers = re.escape(row.source).replace(r"Eq\.\ ", r"Eq\.[\d, and]* ?")
    assert re.search(numbers, text), f"{row.subject.__name__}: expected {row.source!r} in its docstring or its module's"


def test_a_docstring_without_shapes_or_arguments_is_noticed():
    def bare(logits, kind):
        """Returns a loss of `logits`."""

    assert _faults(bare) == ["bare: kind is not described", "bare: no shapes"]


def _faults(subject):
    if not inspect.isclass(subject):
        return _faults_of_function(subject, subject.__name__)
    name = subject.__name__
    faults = _faults_of_summary(subject, name)
    if subject.__init__ is not object.__init__ and "__init__" in vars(subject) and not issubclass(subject, tuple):
        faults += _undescribed(subject.__init__, inspect.getdoc(subject), name)
    for key, value in vars(subject).items():
        function = value.fget if isinstance(value, property) else value
        if inspect.isfunction(function) and not key.startswith("_") and key not in ("build", "get_config"):
            faults += _faults_of_summary(function, f"{name}.{key}")
    if issubclass(subject, keras.layers.Layer) and not _has_shapes(subject.call.__doc__):
        faults.append(f"{name}.call: no shapes")
    return faults


def _faults_of_function(function, name):
    text = inspect.getdoc(function) or ""
    faults = _faults_of_summary(function, name) + _undescribed(function, text, name)
    takes_tensors = any(row.subject is function for row in ALL) or "logits" in inspect.signature(function).parameters
    return faults + ([f"{name}: no shapes"] if takes_tensors and not _has_shapes(text) else [])


def _faults_of_summary(thing, name):
    first, *rest = (inspect.getdoc(thing) or "").split("\n")
    if not first.rstrip().endswith((".", ":", ";")) or (rest and rest[0]):
        return [f"{name}: its docstring does not begin with one line that ends"]
    return []


def _undescribed(function, text, name):
    parameters = [key for key in inspect.signature(function).parameters if key not in ("self", "name", "kwargs")]
    return [
        f"{name}: {key} is not described"
        for key in parameters
        if not re.search(rf"(^ *|, ){key}(, \w+)*:|`{key}`", text or "", re.MULTILINE)
    ]


def _has_shapes(text):
    return bool(re.search(r"\[(batch|\d)|\bshape\b", text or ""))
