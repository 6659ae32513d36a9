"""TensorFlow and the GPUs: what it was built for, what it sees, and what the driver says is there."""

import dataclasses
import json
import os
import re
import subprocess
import sys

from packaging.version import InvalidVersion, Version

from .finding import GIB, Finding, output, read
from .packages import VersionOf, installed_version

# The oldest driver on which programs of that CUDA run (NVIDIA's table of minor version compatibility, Linux).
LEAST_DRIVERS = {"12": "525.60.13", "13": "580.65.06"}

# Below the time that the health check of the container image allows.
PROBE_TIMEOUT_S = 100

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

_MIB = 1024.0**2


@dataclasses.dataclass(frozen=True)
class Driver:
    """What the NVIDIA driver says.

    Attributes:
      version: such as `550.54.15`.
      gpus: one line for each GPU, with its memory.
    """

    version: str
    gpus: tuple[str, ...] = ()


def probe_tensorflow() -> dict | str:
    """Returns TensorFlow's version, CUDA build and GPUs, or one line that says why it does not load."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        ended = subprocess.run(
            [sys.executable, "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=PROBE_TIMEOUT_S,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"did not load within {PROBE_TIMEOUT_S} s"
    if ended.returncode < 0:
        return f"loading it ended the process with signal {-ended.returncode}"
    if ended.returncode > 0:
        return (ended.stderr.strip().splitlines() or ["loading it failed without a message"])[-1]
    return json.loads(ended.stdout.strip().splitlines()[-1])


def probe_driver() -> Driver | None:
    """Returns what the NVIDIA driver says, or None where no driver answers."""
    query = ["nvidia-smi", "--query-gpu=driver_version,name,memory.total,memory.free", "--format=csv,noheader,nounits"]
    return parse_driver(output(query), read("/proc/driver/nvidia/version"))


def parse_driver(lines: list[str], kernel_module: str) -> Driver | None:
    """Returns the driver as `nvidia-smi` or else its kernel module describes it, or None where neither does.

    Args:
      lines: one for each GPU: driver, name, memory and free memory in MiB, parted by commas.
      kernel_module: content of /proc/driver/nvidia/version, which is there without `nvidia-smi` too.
    """
    rows = [row for row in (re.split(r",\s*", line.strip()) for line in lines) if len(row) == 4]
    if rows:
        return Driver(rows[0][0], tuple(f"{name}, {_memory(total, free)}" for _, name, total, free in rows))
    match = re.search(r"Kernel Module\b.*?\s(\d+(?:\.\d+)+)", kernel_module)
    return Driver(match.group(1)) if match else None


def tensorflow_findings(
    probe: dict | str,
    driver: Driver | None,
    require_gpu: bool,
    visible: str | None = None,
    version_of: VersionOf = installed_version,
) -> list[Finding]:
    """Returns whether TensorFlow loads, what the driver is, and which GPUs TensorFlow sees.

    Args:
      probe: what `probe_tensorflow` returned.
      driver: what `probe_driver` returned.
      require_gpu: whether a GPU has to be there.
      visible: value of CUDA_VISIBLE_DEVICES, or None where it is not set.
      version_of: gives the installed version of a distribution, or None.
    """
    if isinstance(probe, str):
        advice = "reinstall the supported version (pip install --force-reinstall), on a processor with AVX"
        return [Finding("TensorFlow", "import", probe, advice, required=True)]
    build = f"CUDA {probe['cuda']}, cuDNN {probe['cudnn']}" if probe["cuda"] else "processors only"
    findings = [Finding("TensorFlow", "import", f"{probe['version']}, built for {build}")]
    if probe["cuda"] and (driver or probe["gpus"]):
        findings.append(_libraries_finding(probe, version_of))
    if driver:
        findings.append(_driver_finding(probe, driver, require_gpu))
    return [*findings, _gpu_finding(probe, driver, require_gpu, visible)]


def _libraries_finding(probe: dict, version_of: VersionOf) -> Finding:
    names = {"CUDA": "nvidia-cuda-runtime-cu", "cuDNN": "nvidia-cudnn-cu", "NCCL": "nvidia-nccl-cu"}
    major = probe["cuda"].split(".")[0]
    versions = {title: version_of(name + major) for title, name in names.items()}
    found = ", ".join(f"{title} {version}" for title, version in versions.items() if version)
    # Where TensorFlow sees a GPU without these packages, the system has the libraries.
    missing = not all(versions.values()) and not probe["gpus"]
    advice = f"{_install(probe)}: it brings the libraries" if missing else ""
    return Finding("TensorFlow", "libraries", found or "none that pip installed", advice)


def _driver_finding(probe: dict, driver: Driver, require_gpu: bool) -> Finding:
    found = "; ".join([driver.version, *driver.gpus])
    least = LEAST_DRIVERS.get(probe["cuda"].split(".")[0])
    try:
        # Where a GPU is seen all the same, NVIDIA's compatibility libraries make up for the driver.
        old = least is not None and not probe["gpus"] and Version(driver.version) < Version(least)
    except InvalidVersion:
        old = False
    advice = f"CUDA {probe['cuda']} needs driver {least} or later on the host: update it" if old else ""
    return Finding("TensorFlow", "driver", found, advice, required=require_gpu)


def _gpu_finding(probe: dict, driver: Driver | None, require_gpu: bool, visible: str | None) -> Finding:
    if probe["gpus"]:
        return Finding("TensorFlow", "gpu", "; ".join(_gpu_title(gpu) for gpu in probe["gpus"]))
    found = "none" if driver is None else f"none seen, although driver {driver.version} is there"
    if not probe["cuda"]:
        advice = f"this TensorFlow has no GPU code: {_install(probe)} in its place (or take the image attent:gpu)"
    elif visible is not None and visible.strip() in ("", "-1", "none", "NoDevFiles"):
        advice = f"CUDA_VISIBLE_DEVICES={visible!r} hides all GPUs: unset it"
    elif driver is not None:
        advice = f"{_install(probe)}; if it is installed, the driver may be too old or the device busy or not permitted"
    else:
        advice = f"training on a CPU is slow; with an NVIDIA driver (in a container: --gpus all), {_install(probe)}"
    return Finding("TensorFlow", "gpu", found, advice, required=require_gpu)


def _install(probe: dict) -> str:
    return f'pip install "tensorflow[and-cuda]=={probe["version"]}"'


def _gpu_title(gpu: dict) -> str:
    capability = gpu["capability"]
    return gpu["name"] + (f" (compute capability {'.'.join(map(str, capability))})" if capability else "")


def _memory(total_mib: str, free_mib: str) -> str:
    # A GPU that is parted, or shares the host's memory, has words instead of numbers.
    if not (total_mib.isdigit() and free_mib.isdigit()):
        return "memory unknown"
    return f"{int(free_mib) * _MIB / GIB:.1f} GiB of {int(total_mib) * _MIB / GIB:.1f} GiB free"
