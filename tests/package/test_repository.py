"""What lies in the repository: nothing large, and nothing that only holds on the machine of its author."""

import re
import subprocess

import pytest

LARGEST_BYTES = 1_000_000
MACHINE_PATH = re.compile(rb"(?<![\w.~-])/(?:work|root|home|Users|mnt|scratch)/[\w.]")


@pytest.fixture(scope="module")
def files(root):
    """The files that are, or are about to be, in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [root / name.decode() for name in listed.split(b"\0") if name and (root / name.decode()).is_file()]


def test_no_file_is_large(files):
    assert len(files) > 20
    large = [str(path) for path in files if path.stat().st_size > LARGEST_BYTES]
    assert large == []


def test_no_file_names_a_path_of_one_machine(files):
    found = [
        f"{path}: {match.group().decode()}" for path in files for match in MACHINE_PATH.finditer(path.read_bytes())
    ]
    assert found == []


def test_machine_paths_are_recognised():
    assert MACHINE_PATH.search(b"open('/" + b"home/someone/data')")
    assert not MACHINE_PATH.search(b"https://example.org/home/page ../work/x ~/home/x")


def test_runner_is_executable(root):
    assert (root / ".ci" / "run").stat().st_mode & 0o111
