"""What is installed is complete, and works where the checkout is not."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from attent_tf import __version__
from cli.main import VERBS

# package -> its folder in the checkout
PACKAGES = {"attent_tf": "attent_tf", "beam_preprocess": "beam_preprocess", "attent_cli": "cli"}


def _files(root, package, pattern):
    return {str(path.relative_to(root)) for path in (root / package).rglob(pattern) if path.is_file()}


@pytest.mark.slow
def test_wheel_holds_every_module_of_the_three_packages(wheel, root):
    names = set(zipfile.ZipFile(wheel).namelist())
    for package, folder in PACKAGES.items():
        modules = {package + name.removeprefix(folder) for name in _files(root, folder, "*.py")}
        assert modules
        assert modules <= names, f"not in the wheel (is there an __init__.py?): {sorted(modules - names)}"


def _data(root):
    """All files of the packages that are no modules: configurations, data sets, tasks, templates."""
    found = {name for package in PACKAGES for name in _files(root, package, "*")}
    data = {name for name in found if "__pycache__" not in name and not name.endswith((".py", ".pyc"))}
    assert {name.split("/")[1] for name in data} >= {"configs", "datasets", "export", "reporting", "tasks"}
    return data


def test_wheel_holds_every_data_file(wheel, root):
    assert _data(root) <= set(zipfile.ZipFile(wheel).namelist())


def test_wheel_says_that_its_packages_are_typed(wheel):
    assert {"attent_tf/py.typed", "beam_preprocess/py.typed"} <= set(zipfile.ZipFile(wheel).namelist())


def test_wheel_holds_nothing_else(wheel):
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {*PACKAGES, f"attent_tf-{__version__}.dist-info"}


@pytest.mark.slow
def test_source_distribution_is_what_beam_hands_to_its_workers(source_copy, tmp_path, root):
    """Beam calls `setup.py sdist`; the archive must hold the data files, because workers install from it alone."""
    command = [sys.executable, "-W", "ignore", "setup.py", "--quiet", "sdist", "--dist-dir", str(tmp_path)]
    subprocess.run(command, cwd=source_copy, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        names = {name.split("/", 1)[-1] for name in content.getnames()}
    wanted = {"setup.py", "attent_tf/__init__.py", "LICENSE"} | _data(root)
    assert wanted <= names


def _environment(folder, *what) -> Path:
    """Installs into an environment of its own, which finds the dependencies of this one by a path file: nothing is fetched."""
    venv.create(folder, with_pip=False, symlinks=True)
    python, here = folder / "bin" / "python", sysconfig.get_paths()
    where = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    with open(f"{where}/dependencies.pth", "w") as paths:
        paths.write("\n".join({here["purelib"], here["platlib"]}) + "\n")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--quiet"]
    # What PYTHONPATH leads to would count as installed there.
    subprocess.run([*install, *map(str, what)], check=True, capture_output=True, env=_elsewhere())
    return folder


def _elsewhere() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _run(folder, *command) -> subprocess.CompletedProcess:
    """Runs a command where the checkout is not, be it named in PYTHONPATH or not."""
    return subprocess.run(command, cwd=folder, env=_elsewhere(), capture_output=True, text=True, check=False)


# Every verb is found under the name of the installed package, and what it imports from beside it as well.
_ALL_VERBS = (
    "import sys, attent_tf, attent_cli.main as cli\n"
    "print(attent_tf.__file__, len([cli.main.get_command(None, verb).name for verb in cli.VERBS]), 'cli' in sys.modules)"
)


@pytest.mark.slow
def test_an_editable_installation_has_the_names_of_the_wheel(source_copy, tmp_path):
    build = ("--no-build-isolation", "--editable", source_copy)
    environment = _environment(tmp_path / "venv", *build)
    helped = _run(tmp_path, environment / "bin" / "attent", "--help")
    assert helped.returncode == 0, helped.stderr
    done = _run(tmp_path, environment / "bin" / "python", "-c", _ALL_VERBS)
    assert done.stdout.split() == [str(source_copy / "attent_tf" / "__init__.py"), str(len(VERBS)), "False"]


@pytest.mark.slow
def test_installed_wheel_works_outside_the_checkout(wheel, tmp_path):
    environment = _environment(tmp_path / "venv", wheel)

    def attent(*arguments):
        return _run(tmp_path, environment / "bin" / "attent", *arguments)

    helped = attent("--help")
    assert helped.returncode == 0, helped.stderr
    assert all(verb in helped.stdout for verb in VERBS)

    done = _run(tmp_path, environment / "bin" / "python", "-c", _ALL_VERBS)
    loaded_from, *rest = done.stdout.split()
    assert str(environment) in loaded_from
    assert rest == [str(len(VERBS)), "False"]

    examined = attent("doctor")
    assert examined.returncode == 0, examined.stdout + examined.stderr
    assert "tensorflow" in examined.stdout
    assert examined.stderr == ""
