"""What ran: versions of the packages that decide about results, and the commit."""

import functools
import platform
import subprocess
from importlib import metadata
from pathlib import Path

_PACKAGES = ("attent-tf", "tensorflow", "keras", "numpy")


def package_versions() -> dict[str, str | None]:
    """Returns the versions of Python and of the packages, and the commit of the checkout, None if it was installed."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions | {"commit": _commit()}


@functools.cache  # What runs is what was loaded, whatever is checked out meanwhile.
def _commit() -> str | None:
    here = Path(__file__).resolve().parents[1]
    if not (here / ".git").exists():
        return None
    try:
        done = subprocess.run(["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
