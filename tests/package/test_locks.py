"""The lock files pin what `setup.py` asks for, with hashes, and say nothing about where packages come from."""

import re
import subprocess
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# lock file -> the extra that it holds beside the runtime requirements
LOCKS = {
    "requirements.lock": "",
    "requirements-dev.lock": "dev",
    "requirements-gpu.lock": "gpu",
    "requirements-docs.lock": "docs",
}


def _pins(text: str) -> dict[str, str]:
    return {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([\w.-]+)(?:\[.*\])?==([^\s;\\]+)", text, re.M)
    }


@pytest.fixture(scope="module")
def requirements(source_copy, tmp_path_factory) -> list[Requirement]:
    """The requirements as the distribution's own metadata lists them."""
    out = tmp_path_factory.mktemp("metadata")
    command = [sys.executable, "-W", "ignore", "setup.py", "--quiet", "egg_info", "--egg-base", str(out)]
    subprocess.run(command, cwd=source_copy, check=True, capture_output=True)
    metadata = (out / "attent_tf.egg-info" / "PKG-INFO").read_text()
    listed = re.findall(r"^Requires-Dist: (.*)$", metadata, re.M)
    if not listed:  # older setuptools writes the requirements to a file of their own
        section = (out / "attent_tf.egg-info" / "requires.txt").read_text()
        listed = _from_requires_txt(section)
    return [Requirement(line) for line in listed]


def _from_requires_txt(text: str) -> list[str]:
    extra, lines = "", []
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("["):
            extra = line.strip("[]").split(":")[0]
        else:
            lines.append(f'{line}; extra == "{extra}"' if extra else line)
    return lines


@pytest.mark.parametrize("lock", LOCKS)
def test_every_direct_dependency_is_pinned_within_its_range(lock, requirements, root):
    pins = _pins((root / lock).read_text())
    wanted = [each for each in requirements if not each.marker or each.marker.evaluate({"extra": LOCKS[lock]})]
    assert len(wanted) >= 16
    for each in wanted:
        version = pins.get(canonicalize_name(each.name))
        assert version is not None, f"{each.name} is not in {lock}; run `make lock`"
        assert each.specifier.contains(version), f"{each.name} {version} in {lock} is outside {each.specifier}"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock, root):
    text = (root / lock).read_text()
    entries = re.split(r"(?m)^(?=\S+==)", text)[1:]
    # Of a package whose latest version asks for a later Python, a lock for all of them pins two.
    assert {canonicalize_name(re.split(r"\[|==", entry)[0]) for entry in entries} == set(_pins(text))
    assert all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.parametrize("lock", LOCKS)
def test_no_registry_and_no_path(lock, root):
    text = (root / lock).read_text()
    assert "://" not in text
    assert not re.search(r"index-url|find-links|trusted-host|file:|(?m:^\s*-e)|\s/\w", text)


@pytest.mark.parametrize("lock", ["requirements-dev.lock", "requirements-gpu.lock"])
def test_what_runs_is_what_is_tested(lock, root):
    runtime, other = _pins((root / "requirements.lock").read_text()), _pins((root / lock).read_text())
    assert runtime.items() <= other.items()
