"""Processor, memory and shared memory, within the limits of the container if there is one."""

import math
import os
import platform
import re

from attent_tf.counting import counted

from .finding import GIB, Finding, read

LEAST_MEMORY_GIB = 4.0
LEAST_SHARED_GIB = 1.0

_FLAGS = ("avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")


def processor_finding(
    cpuinfo: str | None = None, machine: str | None = None, quota: str | None = None, cores: int | None = None
) -> Finding:
    """Returns the cores that this process may use, and the instruction sets that matter to TensorFlow.

    Args:
      cpuinfo: content of /proc/cpuinfo; read from there by default.
      machine: architecture as `platform.machine` names it.
      quota: content of the control group's `cpu.max`: microseconds or `max`, and the period.
      cores: cores that the process may be scheduled on.
    """
    cpuinfo = read("/proc/cpuinfo") if cpuinfo is None else cpuinfo
    quota = read("/sys/fs/cgroup/cpu.max") if quota is None else quota
    machine = machine or platform.machine()
    cores = cores or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    limit = re.fullmatch(r"(\d+)\s+(\d+)\s*", quota)
    if limit and int(limit.group(2)):
        cores = min(cores, max(1, math.ceil(int(limit.group(1)) / int(limit.group(2)))))
    line = re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)
    flags = line.group(1).split() if line else []
    known = [flag for flag in _FLAGS if flag in flags]
    found = f"{counted(cores, 'core')}, {machine}" + (f", {' '.join(known)}" if known else "")
    lacks_avx = bool(flags) and machine == "x86_64" and "avx" not in flags
    advice = "TensorFlow's wheels need AVX; use another machine, or let the virtual one pass it on" if lacks_avx else ""
    return Finding("Machine", "processor", found, advice, required=True)


def memory_finding(meminfo: str | None = None, cgroup_limit: str | None = None) -> Finding:
    """Returns the memory that is there.

    Args:
      meminfo: content of /proc/meminfo; read from there by default.
      cgroup_limit: content of the control group's `memory.max`: bytes, or `max`.
    """
    meminfo = read("/proc/meminfo") if meminfo is None else meminfo
    if cgroup_limit is None:
        cgroup_limit = read("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
    size_gib = {name: int(kib) * 1024 / GIB for name, kib in re.findall(r"^(\w+):\s+(\d+) kB", meminfo, re.MULTILINE)}
    if not {"MemTotal", "MemAvailable"} <= size_gib.keys():
        return Finding("Machine", "memory", "unknown")
    total_gib, available_gib = size_gib["MemTotal"], size_gib["MemAvailable"]
    if cgroup_limit.strip().isdigit():
        total_gib = min(total_gib, int(cgroup_limit) / GIB)
        available_gib = min(available_gib, total_gib)
    found = f"{available_gib:.1f} GiB of {total_gib:.1f} GiB available"
    short = available_gib < LEAST_MEMORY_GIB
    advice = f"training needs {LEAST_MEMORY_GIB:.0f} GiB; end other programs or use smaller batches" if short else ""
    return Finding("Machine", "memory", found, advice)


def shared_memory_bytes(folder: str = "/dev/shm") -> int | None:
    """Returns the size of the file system for shared memory, or None where none can be written."""
    if not os.access(folder, os.W_OK):
        return None
    sizes = os.statvfs(folder)
    return sizes.f_blocks * sizes.f_frsize


def shared_memory_finding(size_bytes: int | None, gpus: int) -> Finding:
    """Returns the shared memory, of which a container has 64 MiB unless told otherwise.

    Args:
      size_bytes: what `shared_memory_bytes` returned.
      gpus: number of GPUs; several exchange gradients through it where they cannot reach each other.
    """
    if size_bytes is None:
        advice = (
            "worker processes need it: mount a tmpfs at /dev/shm that this user may write (docker run --shm-size=1g)"
        )
        return Finding("Machine", "shared memory", "none", advice)
    gib = size_bytes / GIB
    found = f"{gib:.1f} GiB" if gib >= 1 else f"{gib * 1024:.0f} MiB"
    short = gpus > 1 and gib < LEAST_SHARED_GIB
    advice = f"training on {gpus} GPUs needs {LEAST_SHARED_GIB:.0f} GiB: docker run --shm-size=1g" if short else ""
    return Finding("Machine", "shared memory", found, advice)
