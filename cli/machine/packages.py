"""Python and the packages, against the ranges that this distribution's own metadata states."""

import importlib.metadata
import platform
import re
import sys
from collections.abc import Callable, Iterable

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from .finding import Finding

DISTRIBUTION = "attent-tf"

# Distributions of other names that hold the same modules.
STAND_INS = {"tensorflow": ("tensorflow-cpu",)}

# Extras that add something to a user's work, with what it is; one that is not listed here is named by itself.
PURPOSES = {"addons": "the normalisation tfa_instance"}

# The GPU's packages stand with the GPUs, the others are for those who change the library.
_UNLISTED_EXTRAS = {"gpu", "test", "dev"}

VersionOf = Callable[[str], str | None]


def installed_version(name: str) -> str | None:
    """Returns the version of the installed distribution `name`, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def python_finding(supported: str, version: str | None = None) -> Finding:
    """Returns whether the interpreter is of a supported version.

    Args:
      supported: version specifier such as `>=3.11,<3.14`.
      version: version to judge; the running interpreter's by default.
    """
    version = version or platform.python_version()
    fits = SpecifierSet(supported).contains(version, prereleases=True)
    advice = "" if fits else f"make an environment with a Python of {supported}"
    return Finding("Python", "python", f"{version} ({sys.executable})", advice, required=True)


def package_findings(requirements: Iterable[str], version_of: VersionOf = installed_version) -> list[Finding]:
    """Returns one finding for each requirement, in the order of their names.

    Args:
      requirements: the distribution's requirements as its metadata lists them, those of extras included.
      version_of: gives the installed version of a distribution, or None.
    """
    findings = []
    for requirement in sorted(map(Requirement, requirements), key=lambda each: canonicalize_name(each.name)):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        candidates = (requirement.name, *STAND_INS.get(canonicalize_name(requirement.name), ()))
        name = next((each for each in candidates if version_of(each) is not None), requirement.name)
        version = version_of(name)
        fits = version is not None and requirement.specifier.contains(version, prereleases=True)
        found = f"{version or 'not installed'} (supported: {requirement.specifier or 'any version'})"
        advice = "" if fits else f'pip install "{name}{requirement.specifier}"'
        findings.append(Finding("Packages", name, found, advice, required=True))
    return findings


def extra_findings(
    requirements: Iterable[str],
    version_of: VersionOf = installed_version,
    python: str | None = None,
) -> list[Finding]:
    """Returns one finding for each optional extra, in the order of their names.

    Args:
      requirements: the distribution's requirements as its metadata lists them.
      version_of: gives the installed version of a distribution, or None.
      python: version such as `3.12` for which to judge; the running interpreter's by default.
    """
    python = python or ".".join(platform.python_version_tuple()[:2])
    members: dict[str, list[Requirement]] = {}
    for requirement in map(Requirement, requirements):
        for extra in re.findall(r"""extra == ['"]([\w.-]+)['"]""", str(requirement.marker or "")):
            members.setdefault(extra, []).append(requirement)
    listed = sorted(members.keys() - _UNLISTED_EXTRAS)
    return [_extra_finding(extra, members[extra], version_of, python) for extra in listed]


def _extra_finding(extra: str, requirements: list[Requirement], version_of: VersionOf, python: str) -> Finding:
    purpose = f"only for {PURPOSES.get(extra, f'what the extra {extra} adds')}"
    environment = {"extra": extra, "python_version": python, "python_full_version": f"{python}.0"}
    wanted = [each for each in requirements if each.marker is None or each.marker.evaluate(environment)]
    if not wanted:
        names = ", ".join(each.name for each in requirements)
        return Finding("Optional", extra, "not installed", f"{purpose}; {names} has no wheels for Python {python}")
    versions = {each.name: version_of(each.name) for each in wanted}
    fits = all(
        version is not None and each.specifier.contains(version, prereleases=True)
        for each, version in zip(wanted, versions.values(), strict=True)
    )
    found = ", ".join(f"{name} {version or 'not installed'}" for name, version in versions.items())
    install = " ".join(f'"{each.name}{each.specifier}"' for each in wanted)
    return Finding("Optional", extra, found, "" if fits else f"{purpose}: pip install {install}")


def stated_requirements() -> list[str]:
    """Returns the requirements in the metadata of this distribution; none where it is not installed."""
    try:
        return importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return []


def distribution_findings() -> list[Finding]:
    """Returns the findings on Python and on every required package."""
    try:
        supported = importlib.metadata.metadata(DISTRIBUTION)["Requires-Python"]
    except importlib.metadata.PackageNotFoundError:
        advice = "run `pip install .` in the checkout; the supported versions are read from what that installs"
        return [Finding("Packages", DISTRIBUTION, "not installed", advice, required=True)]
    return [python_finding(supported), *package_findings(stated_requirements())]
