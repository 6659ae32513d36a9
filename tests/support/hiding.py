"""Runs a program where only some packages can be imported, as if the others were not installed.

python tests/support/hiding.py without MODULE,MODULE PROGRAM WORD...
python tests/support/hiding.py with DISTRIBUTION,DISTRIBUTION PROGRAM WORD...

`with` hides what no named distribution has brought. PROGRAM is a module with a function `main`, such as `cli.main`, or a file.
"""

import importlib
import importlib.abc
import importlib.metadata
import re
import runpy
import sys


class Hidden(importlib.abc.MetaPathFinder):
    """Stands in front of all other finders and finds nothing where a module is hidden."""

    def __init__(self, modules):
        self._modules = set(modules)

    def find_spec(self, name, path=None, target=None):
        """Refuses a hidden module, and leaves every other to the next finder."""
        del path, target
        if name.partition(".")[0] in self._modules:
            raise ModuleNotFoundError(f"No module named {name!r} (hidden)", name=name)


def canonical(distribution: str) -> str:
    """Returns the one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def of_others(distributions: set[str]) -> set[str]:
    """Returns the modules that none of some distributions has brought."""
    # Of a project that is installed in place the metadata list no module; `tests` is a name that others install too.
    brought = {name: ["attent-tf"] for name in ("attent_tf", "beam_preprocess", "cli", "attent_cli", "tests")}
    return {
        module
        for module, owners in {**importlib.metadata.packages_distributions(), **brought}.items()
        if not any(canonical(owner) in distributions for owner in owners)
    }


if __name__ == "__main__":
    _, kind, names, program, *words = sys.argv
    listed = set(names.split(","))
    sys.meta_path.insert(0, Hidden(listed if kind == "without" else of_others(listed)))
    sys.argv = [program, *words]
    if program.endswith(".py"):
        runpy.run_path(program, run_name="__main__")
    else:
        importlib.import_module(program).main()
