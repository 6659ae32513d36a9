"""What `attent doctor` finds out about the machine; one function for each kind of finding."""

import dataclasses
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

DISTRIBUTION = "attent-tf"

# The last build that imports beside Keras 3; its wheels end at Python 3.11.
ADDONS = "tfa-nightly==0.23.0.dev20240415222534"

LEAST_MEMORY_GIB = 4.0
LEAST_DISK_GIB = 5.0
LEAST_JAVA = 11  # Flink 2 runs on 11 and later

_GIB = 1024.0**3
_PROBE_TIMEOUT_S = 180

# Runs in a process of its own: TensorFlow logs to the file descriptor, and without AVX it takes the process down.
_PROBE = """
import json
import tensorflow as tf
build = tf.sysconfig.get_build_info()
gpus = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
print(json.dumps({
    "version": tf.__version__,
    "cuda": build.get("cuda_version", ""),
    "cudnn": build.get("cudnn_version", ""),
    "gpus": [{"name": gpu.get("device_name", "GPU"), "capability": gpu.get("compute_capability")} for gpu in gpus],
}))
"""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
      group: the heading under which it stands.
      name: what was looked at.
      found: what was found.
      advice: what to do about it; empty where nothing has to be done.
      required: whether the library cannot work as asked while there is advice.
    """

    group: str
    name: str
    found: str
    advice: str = ""
    required: bool = False

    @property
    def state(self) -> str:
        """`ok`, `note` (something optional is missing) or `wrong` (something required is)."""
        if not self.advice:
            return "ok"
        return "wrong" if self.required else "note"


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


def package_findings(
    requirements: Iterable[str], version_of: Callable[[str], str | None] = installed_version
) -> list[Finding]:
    """Returns one finding for each requirement, in the order of their names.

    Args:
      requirements: the distribution's requirements as its metadata lists them, those of extras included.
      version_of: gives the installed version of a distribution, or None.
    """
    findings = []
    for requirement in sorted(map(Requirement, requirements), key=lambda each: canonicalize_name(each.name)):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = version_of(requirement.name)
        fits = version is not None and requirement.specifier.contains(version, prereleases=True)
        found = f"{version or 'not installed'} (supported: {requirement.specifier or 'any version'})"
        advice = "" if fits else f'pip install "{requirement.name}{requirement.specifier}"'
        findings.append(Finding("Packages", requirement.name, found, advice, required=True))
    return findings


def distribution_findings() -> list[Finding]:
    """Returns the findings on Python and on every package, against the ranges in this distribution's own metadata."""
    try:
        metadata = importlib.metadata.metadata(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        advice = "run `pip install .` in the checkout; the supported versions are read from what that installs"
        return [Finding("Packages", DISTRIBUTION, "not installed", advice, required=True)]
    requirements = metadata.get_all("Requires-Dist") or []
    return [python_finding(metadata["Requires-Python"]), *package_findings(requirements)]


def processor_finding(cpuinfo: str | None = None, machine: str | None = None) -> Finding:
    """Returns the cores that this process may use, and the instruction sets that matter to TensorFlow.

    Args:
      cpuinfo: content of /proc/cpuinfo; read from there by default.
      machine: architecture as `platform.machine` names it.
    """
    cpuinfo = _read(Path("/proc/cpuinfo")) if cpuinfo is None else cpuinfo
    machine = machine or platform.machine()
    line = re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)
    flags = line.group(1).split() if line else []
    known = [flag for flag in ("avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = f"{cores} cores, {machine}" + (f", {' '.join(known)}" if known else "")
    lacks_avx = bool(flags) and machine == "x86_64" and "avx" not in flags
    advice = "TensorFlow's wheels need AVX; use another machine, or let the virtual one pass it on" if lacks_avx else ""
    return Finding("Machine", "processor", found, advice, required=True)


def memory_finding(meminfo: str | None = None, cgroup_limit: str | None = None) -> Finding:
    """Returns the memory that is there, within the limit of the container if there is one.

    Args:
      meminfo: content of /proc/meminfo; read from there by default.
      cgroup_limit: content of the control group's `memory.max`: bytes, or `max`.
    """
    meminfo = _read(Path("/proc/meminfo")) if meminfo is None else meminfo
    cgroup_limit = _read(Path("/sys/fs/cgroup/memory.max")) if cgroup_limit is None else cgroup_limit
    size_gib = {name: int(kib) * 1024 / _GIB for name, kib in re.findall(r"^(\w+):\s+(\d+) kB", meminfo, re.MULTILINE)}
    if not {"MemTotal", "MemAvailable"} <= size_gib.keys():
        return Finding("Machine", "memory", "unknown")
    total_gib, available_gib = size_gib["MemTotal"], size_gib["MemAvailable"]
    if cgroup_limit.strip().isdigit():
        total_gib = min(total_gib, int(cgroup_limit) / _GIB)
        available_gib = min(available_gib, total_gib)
    found = f"{available_gib:.1f} GiB of {total_gib:.1f} GiB available"
    short = available_gib < LEAST_MEMORY_GIB
    advice = f"training wants {LEAST_MEMORY_GIB:.0f} GiB; end other programs or take smaller batches" if short else ""
    return Finding("Machine", "memory", found, advice)


def disk_finding(folder: str | os.PathLike = ".", free_bytes: int | None = None) -> Finding:
    """Returns the room that is left where `folder` lies.

    Args:
      folder: an existing folder.
      free_bytes: room to judge; asked of the file system by default.
    """
    free_gib = (shutil.disk_usage(folder).free if free_bytes is None else free_bytes) / _GIB
    advice = ""
    if free_gib < LEAST_DISK_GIB:
        advice = f"records and runs want {LEAST_DISK_GIB:.0f} GiB; make room or write elsewhere with --out"
    return Finding("Machine", "disk", f"{free_gib:.1f} GiB free in {Path(folder).resolve()}", advice)


def probe_tensorflow() -> dict | str:
    """Returns TensorFlow's version, CUDA build and GPUs, or one line that says why it does not load."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        ended = subprocess.run(
            [sys.executable, "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_TIMEOUT_S,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"did not load within {_PROBE_TIMEOUT_S} s"
    if ended.returncode < 0:
        return f"loading it ended the process with signal {-ended.returncode}"
    if ended.returncode > 0:
        return (ended.stderr.strip().splitlines() or ["loading it failed without a message"])[-1]
    return json.loads(ended.stdout.strip().splitlines()[-1])


def driver_version() -> str | None:
    """Returns the version of the NVIDIA driver, or None where no driver answers."""
    lines = _output(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"])
    return lines[0].strip() if lines else None


def tensorflow_findings(probe: dict | str, driver: str | None, require_gpu: bool) -> list[Finding]:
    """Returns whether TensorFlow loads, and which GPUs it sees.

    Args:
      probe: what `probe_tensorflow` returned.
      driver: what `driver_version` returned.
      require_gpu: whether a GPU has to be there.
    """
    if isinstance(probe, str):
        advice = "install the supported version anew (pip install --force-reinstall), on a processor with AVX"
        return [Finding("TensorFlow", "import", probe, advice, required=True)]
    install = f'pip install "tensorflow[and-cuda]=={probe["version"]}"'
    build = f"CUDA {probe['cuda']}, cuDNN {probe['cudnn']}" if probe["cuda"] else "CPU only"
    loads = Finding("TensorFlow", "import", f"{probe['version']}, built for {build}")
    if probe["gpus"]:
        names = [_gpu_title(gpu) for gpu in probe["gpus"]]
        return [loads, Finding("TensorFlow", "gpu", f"{'; '.join(names)}; driver {driver or 'unknown'}")]
    if driver is not None:
        found = f"none seen, although driver {driver} is there"
        advice = f"{install}; if it is installed, CUDA_VISIBLE_DEVICES may hide the GPU, or the driver be too old"
    else:
        found = "none"
        advice = f"training on a processor is slow; with an NVIDIA driver (in a container: --gpus all), {install}"
    return [loads, Finding("TensorFlow", "gpu", found, advice, required=require_gpu)]


def java_finding(version_line: str | None) -> Finding:
    """Returns whether a Java is there that can run Beam's Flink job server.

    Args:
      version_line: first line of `java -version`, or None where there is no Java.
    """
    purpose = f"only to preprocess with Beam's Flink runner: install Java {LEAST_JAVA} or later"
    match = re.search(r'version "(?:1\.)?(\d+)', version_line or "")
    if match is None:
        return Finding("Optional", "java", "not found", purpose)
    return Finding("Optional", "java", version_line, "" if int(match.group(1)) >= LEAST_JAVA else purpose)


def java_version_line() -> str | None:
    """Returns the first line of `java -version`, or None where there is no Java."""
    lines = _output(["java", "-version"])
    return lines[0] if lines else None


def addons_finding(version: str | None, python: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Returns whether TensorFlow Addons is there, which the normalisation `tfa_instance` needs.

    Args:
      version: installed version of `tfa-nightly`, or None.
      python: major and minor version of the interpreter.
    """
    if version is not None:
        return Finding("Optional", "tfa-nightly", version)
    advice = f"only for the normalisation tfa_instance: pip install {ADDONS}"
    if python >= (3, 12):
        advice = "only for the normalisation tfa_instance, whose last wheels are for Python 3.11"
    return Finding("Optional", "tfa-nightly", "not installed", advice)


def _gpu_title(gpu: dict) -> str:
    capability = gpu["capability"]
    return gpu["name"] + (f" (compute capability {'.'.join(map(str, capability))})" if capability else "")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _output(command: list[str]) -> list[str]:
    """Returns the lines that a program printed on either stream, none where it is missing or fails."""
    try:
        ended = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return ended.stdout.strip().splitlines() if ended.returncode == 0 else []
