"""`import attent_tf as at`: what it offers, what it loads, and that its words are those of the command."""

import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import attent_tf as at
from cli.main import main

_ROOT = Path(__file__).resolve().parents[2]

# What an option is called where its name is no argument's: those of a command that are not in its function, with the reason.
_ONLY_OF_THE_COMMAND = {
    "train": {"quiet": "progress"},
    "check": {"strict": "an exit code"},
    "evaluate": {},
    "benchmark": {"quiet": "progress", "dry_run": "prints"},
    "preprocess": {
        **dict.fromkeys(["mri", "ct", "mri_dataset", "ct_dataset", "mri_intensity", "ct_intensity"], "short forms"),
        "check": "prints",
        "json": "of --check",
    },
}


# Defaults that differ, and why.
_OTHER_DEFAULTS = {("benchmark", "workers"): "methods that a process registered are known to it alone"}


@pytest.mark.slow
def test_importing_it_loads_nothing_heavy_and_names_are_loaded_when_they_are_used():
    script = (
        "import json, sys, attent_tf as at\n"
        "heavy = {'tensorflow', 'keras', 'apache_beam', 'nibabel', 'numpy', 'scipy', 'matplotlib', 'click', 'beam_preprocess'}\n"
        "steps = [sorted(heavy & set(sys.modules)), sorted(set(at.__all__) - set(dir(at)))]\n"
        "at.train, at.preprocess, at.segment_volume, at.load_chain\n"
        "steps.append(sorted({'tensorflow', 'keras', 'apache_beam', 'click'} & set(sys.modules)))\n"
        "print(json.dumps(steps))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=_ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[], [], []]


def test_every_name_is_there():
    assert len(set(at.__all__)) == len(at.__all__)
    assert [name for name in at.__all__ if not hasattr(at, name)] == []
    with pytest.raises(AttributeError, match="'attent_tf' has no attribute 'segment_volumes'"):
        _ = at.segment_volumes


def test_a_room_does_not_take_the_place_of_a_name():
    import attent_tf.benchmarking
    import attent_tf.evaluation  # noqa: F401

    assert all(callable(getattr(at, verb)) for verb in _ONLY_OF_THE_COMMAND)


def test_editors_are_told_what_is_looked_up():
    """What type checkers read is what `__getattr__` finds, and both are what `__all__` lists."""
    tree = ast.parse((_ROOT / "attent_tf" / "__init__.py").read_text(encoding="utf-8"))
    (branch,) = (node for node in tree.body if isinstance(node, ast.If))
    read = {alias.name: node.module for node in branch.body for alias in node.names}
    assert read == at._PLACES
    assert {*read, "__version__"} == set(at.__all__)


@pytest.mark.parametrize("verb", _ONLY_OF_THE_COMMAND)
def test_a_verb_and_its_function_take_the_same_words(verb):
    command = main.get_command(None, verb)
    # An option's longest name, without the form that takes it back; and arguments.
    options = {
        (
            max(option.opts, key=len).lstrip("-").replace("-", "_")
            if option.param_type_name == "option"
            else option.name
        ): option
        for option in command.params
    }
    arguments = inspect.signature(getattr(at, verb)).parameters
    assert set(options) - set(_ONLY_OF_THE_COMMAND[verb]) == set(arguments) - {"progress"}
    for name in set(options) & set(arguments):
        one, default = options[name], arguments[name].default
        if (verb, name) in _OTHER_DEFAULTS:
            continue
        if one.param_type_name == "option" and not one.multiple and default is not inspect.Parameter.empty:
            of_option = one.default if isinstance(one.default, str | int | float) else None
            # What is left out is None for the one, and empty for the other.
            assert (of_option or None) == (default or None), name


def test_progress_is_a_function_of_lines_an_observer_or_printed(capsys):
    from attent_tf.progress import SilentObserver, observer_of

    told = []
    for progress in (told.append, None, SilentObserver()):
        observer = observer_of(progress, "slices")
        observer.say("a line")
        with observer.stage("Segment", 4, 1) as bar:
            bar.update(2)
            bar.set_postfix_str("loss 1")
            bar.update()
    line, last = told
    assert line == "a line"
    assert last.startswith("Segment: 4/4 slices, ")
    assert last.endswith(" 0 s left  loss 1")
    printed = capsys.readouterr().out.splitlines()
    assert [text.split(",")[0] for text in printed] == ["a line", "Segment: 4/4 slices"]
