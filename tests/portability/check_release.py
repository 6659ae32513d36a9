"""Builds what is released, checks it, and uses the wheel in environments that hold nothing else: `make release-check`.

The environments fetch the locked dependencies with pip, from wherever it is set to look. There the command says what it finds,
and the tutorial `first-hour` runs in a folder that holds nothing: from the wheel to a segmented array.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Stops with the first command that fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", help="Interpreter to try the wheel with; may be repeated.")
    pythons = parser.parse_args().python or [sys.executable]
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        _run(sys.executable, "-m", "build", "--outdir", place / "dist", _ROOT, stdout=subprocess.DEVNULL)
        built = sorted((place / "dist").iterdir())
        _run(sys.executable, "-m", "twine", "check", "--strict", *built)
        (wheel,) = (path for path in built if path.suffix == ".whl")
        for python in pythons:
            _use(python, wheel, place / "environment")
    print(f"release-check: {', '.join(path.name for path in built)} with {', '.join(map(str, pythons))}: passed")


def _use(python: str, wheel: Path, environment: Path) -> None:
    _run(python, "-m", "venv", "--clear", environment)
    bin_folder = environment / "bin"
    pip = (bin_folder / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    locked = ("--require-hashes", "--only-binary", ":all:", "--requirement", _ROOT / "requirements.lock")
    _run(*pip, *locked)
    _run(*pip, "--no-deps", wheel)
    _run(bin_folder / "python", "--version")
    _run(bin_folder / "attent", "--version", cwd=environment)
    _run(bin_folder / "attent", "doctor", cwd=environment)
    _run(bin_folder / "attent", "--help-all", cwd=environment, stdout=subprocess.DEVNULL)
    # What runs a notebook comes last, so that nothing above leans on it.
    _run(*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", _ROOT / "requirements-docs.lock")
    with tempfile.TemporaryDirectory() as work:
        runner, page = _ROOT / "tests" / "support" / "notebooks.py", _ROOT / "docs" / "tutorials" / "first-hour.md"
        path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
        _run(bin_folder / "python", "-P", runner, page, work, cwd=Path(work), env={"PATH": path})
        assert (Path(work) / "labels").is_dir()


def _run(*command: object, env: dict[str, str] | None = None, **options) -> None:
    words = [str(word) for word in command]
    print("$", *words, flush=True)
    # Nothing of the checkout is found by way of the shell's settings.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(words, check=True, env=kept | (env or {}), **options)


if __name__ == "__main__":
    main()
