"""What is installed is complete, and works where the checkout is not."""

import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile

import pytest

from attent_tf import __version__
from cli.main import VERBS

PACKAGES = ("attent_tf", "beam_preprocess", "cli")


def _files(root, package, pattern):
    return {str(path.relative_to(root)) for path in (root / package).rglob(pattern) if path.is_file()}


def test_wheel_holds_every_module_of_the_three_packages(wheel, root):
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in PACKAGES:
        modules = _files(root, package, "*.py")
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


def test_source_distribution_is_what_beam_hands_to_its_workers(source_copy, tmp_path, root):
    """Beam calls `setup.py sdist`; the archive must hold the data files, because workers install from it alone."""
    command = [sys.executable, "-W", "ignore", "setup.py", "--quiet", "sdist", "--dist-dir", str(tmp_path)]
    subprocess.run(command, cwd=source_copy, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        names = {name.split("/", 1)[-1] for name in content.getnames()}
    wanted = {"setup.py", "attent_tf/__init__.py", "LICENSE"} | _data(root)
    assert wanted <= names


@pytest.mark.slow
def test_installed_wheel_works_outside_the_checkout(wheel, tmp_path):
    """An environment of its own, which finds the dependencies of this one by a path file: nothing is fetched."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    here = sysconfig.get_paths()
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--quiet"]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    where = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    with open(f"{where}/dependencies.pth", "w") as paths:
        paths.write("\n".join({here["purelib"], here["platlib"]}) + "\n")

    def attent(*arguments):
        return subprocess.run(
            [str(environment / "bin" / "attent"), *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    helped = attent("--help")
    assert helped.returncode == 0, helped.stderr
    assert all(verb in helped.stdout for verb in VERBS)

    loaded_from = subprocess.run(
        [str(python), "-c", "import attent_tf; print(attent_tf.__file__)"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert str(environment) in loaded_from

    examined = attent("doctor")
    assert examined.returncode == 0, examined.stdout + examined.stderr
    assert "tensorflow" in examined.stdout
    assert examined.stderr == ""
