"""Builds what is released, checks it, and uses the wheel in environments that hold nothing else: `make release-check`.

The environments fetch the locked dependencies with pip, from wherever it is set to look.
"""

import argparse
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
        _run(sys.executable, "-m", "build", "--outdir", place / "dist", _ROOT)
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


def _run(*command: object, cwd: Path | None = None) -> None:
    words = [str(word) for word in command]
    print("$", *words, flush=True)
    subprocess.run(words, check=True, cwd=cwd)


if __name__ == "__main__":
    main()
