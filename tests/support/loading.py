"""What importing modules and running commands loads, in a process that has loaded nothing before.

python -m tests.support.loading {import,attent} WORD...

A word is a module, or the words of a command in JSON. They are taken one after the other in one process; what each has loaded
first is printed as JSON. What none of them loads in a row, none loads alone.
"""

import contextlib
import importlib
import io
import json
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def modules_of(package: str) -> list[str]:
    """Returns the names of all modules of one of the project's packages."""
    files = sorted((_ROOT / package.replace(".", "/")).rglob("*.py"))
    names = [".".join(path.relative_to(_ROOT).with_suffix("").parts) for path in files]
    return [name.removesuffix(".__init__") for name in names]


def loaded_by_imports(modules: list[str]) -> dict[str, set[str]]:
    """Module -> names of the modules that its import has loaded first, of imports in this order."""
    return dict(zip(modules, _loaded("import", modules), strict=True))


def loaded_by_commands(commands: list[list[str]]) -> list[set[str]]:
    """The same for `attent` with the words of each command, whatever its exit code."""
    return _loaded("attent", [json.dumps(words) for words in commands])


def _loaded(kind, words):
    command = [sys.executable, "-m", "tests.support.loading", kind, *words]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [set(names) for names in json.loads(done.stdout.splitlines()[-1])]


def _attent(words):
    from cli.main import main

    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        main(json.loads(words))


def main() -> None:
    """Prints a list of names for each word."""
    _, kind, *words = sys.argv
    act = {"import": importlib.import_module, "attent": _attent}[kind]
    found = []
    for word in words:
        before = set(sys.modules)
        act(word)
        found.append(sorted(set(sys.modules) - before))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
