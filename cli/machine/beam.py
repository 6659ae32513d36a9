"""What Beam can run on from here: runners beside its own, and remote file systems."""

import re

from .finding import Finding, output
from .packages import VersionOf, installed_version

LEAST_JAVA = 11  # Flink 2 runs on 11 and later

# Prefix of a path -> Beam's extra for it, and the distribution that tells whether it is installed.
_FILE_SYSTEMS = {
    "gs://": ("gcp", "google-cloud-storage"),
    "s3://": ("aws", "boto3"),
    "azfs://": ("azure", "azure-storage-blob"),
    "hdfs://": ("hadoop", "hdfs"),
}
# Of Beam's extra `gcp`, what DataflowRunner submits jobs with.
_DATAFLOW = "google-apitools"


def java_version_line() -> str | None:
    """Returns the line of `java -version` that names the version, or None where there is no Java."""
    return next((line for line in output(["java", "-version"]) if ' version "' in line), None)


def java_finding(version_line: str | None) -> Finding:
    """Returns whether a Java is there that can run Beam's Flink job server.

    Args:
      version_line: what `java_version_line` returned.
    """
    purpose = f"only to preprocess with Beam's Flink runner: install Java {LEAST_JAVA} or later"
    major = _java_major(version_line)
    if major is None:
        return Finding("Beam", "java", "not found", purpose)
    return Finding("Beam", "java", version_line, "" if major >= LEAST_JAVA else purpose)


def runners_finding(version_line: str | None, version_of: VersionOf = installed_version) -> Finding:
    """Returns the runners that this machine can start a job with.

    Args:
      version_line: what `java_version_line` returned.
      version_of: gives the installed version of a distribution, or None.
    """
    names = ["DirectRunner", "PortableRunner"]
    if (_java_major(version_line) or 0) >= LEAST_JAVA:
        names += ["FlinkRunner", "SparkRunner"]
    if version_of(_DATAFLOW):
        names.append("DataflowRunner")
    return Finding("Beam", "runners", ", ".join(names))


def file_systems_finding(version_of: VersionOf = installed_version) -> Finding:
    """Returns the remote file systems that scans and records can lie on.

    Args:
      version_of: gives the installed version of a distribution, or None.
    """
    installed = [prefix for prefix, (_, name) in _FILE_SYSTEMS.items() if version_of(name)]
    if installed:
        return Finding("Beam", "remote files", ", ".join(installed))
    extras = ", ".join(f"{prefix} [{extra}]" for prefix, (extra, _) in _FILE_SYSTEMS.items())
    return Finding(
        "Beam", "remote files", "none", f"only for scans on remote storage: pip install apache-beam[...]: {extras}"
    )


def _java_major(version_line: str | None) -> int | None:
    match = re.search(r'version "(?:1\.)?(\d+)', version_line or "")
    return int(match.group(1)) if match else None
