"""A Flink cluster on the loopback: a JobManager and TaskManagers, each a process that can be killed."""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.portability.processes import free_ports, kill, listens, server, wait_until

_JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
_TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
_SLOTS = 2
_READY_SECONDS = 120

# What docs/preprocessing-at-scale.md recommends.
RESTARTS = {
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "10",
    "restart-strategy.fixed-delay.delay": "5 s",
    "heartbeat.timeout": "8000",
    "heartbeat.interval": "2000",
}

# Flink's own scripts work these out from the size of a process; a process that is started without them wants each.
_MEMORY = {
    "taskmanager.cpu.cores": "2.0",
    "taskmanager.memory.task.heap.size": "384m",
    "taskmanager.memory.task.off-heap.size": "0m",
    "taskmanager.memory.framework.heap.size": "128m",
    "taskmanager.memory.framework.off-heap.size": "128m",
    "taskmanager.memory.managed.size": "64m",
    "taskmanager.memory.network.min": "64m",
    "taskmanager.memory.network.max": "64m",
    "taskmanager.memory.jvm-metaspace.size": "256m",
    "taskmanager.memory.jvm-overhead.min": "192m",
    "taskmanager.memory.jvm-overhead.max": "192m",
}


@dataclasses.dataclass(frozen=True)
class FlinkCluster:
    """A cluster that runs.

    Attributes:
      port: of the JobManager's REST interface on the loopback.
      pool_port: of the worker pool, for the environment EXTERNAL.
      pool: its process, which starts the workers.
      task_managers: by name.
    """

    port: int
    pool_port: int
    pool: subprocess.Popen
    task_managers: dict[str, subprocess.Popen]

    def flags(self, jar: Path, parallelism: int = 2) -> list[str]:
        """Returns the flags of a job on the cluster, in workers of its pool."""
        return [
            "--runner=FlinkRunner",
            f"--flink_master=127.0.0.1:{self.port}",
            f"--flink_job_server_jar={jar}",
            f"--parallelism={parallelism}",
            "--environment_type=EXTERNAL",
            f"--environment_config=127.0.0.1:{self.pool_port}",
        ]

    def kill_a_busy_one(self) -> str:
        """Kills a TaskManager that has work, as a machine that goes dark would; returns its name."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/taskmanagers", timeout=10) as answer:
            found = json.load(answer)["taskmanagers"]
        busy = next(manager["id"] for manager in found if manager["freeSlots"] < _SLOTS)
        kill(self.task_managers[busy])
        return busy


@contextlib.contextmanager
def started(jar: Path, folder: Path, more: dict[str, str], task_managers: int = 2) -> Iterator[FlinkCluster]:
    """Starts a cluster and its worker pool.

    Args:
      jar: the job server's, with the libraries beside it.
      folder: for configuration and logs.
      more: Flink's own configuration, such as `RESTARTS`.
      task_managers: number of them, with two slots each.
    """
    rpc, rest, pool = free_ports(3)
    common = {
        "jobmanager.rpc.address": "127.0.0.1",
        "jobmanager.rpc.port": str(rpc),
        "jobmanager.bind-host": "127.0.0.1",
        "rest.address": "127.0.0.1",
        "rest.port": str(rest),
        "rest.bind-address": "127.0.0.1",
        "taskmanager.host": "127.0.0.1",
        "taskmanager.bind-host": "127.0.0.1",
        "taskmanager.numberOfTaskSlots": str(_SLOTS),
        "cluster.evenly-spread-out-slots": "true",
        "io.tmp.dirs": str(folder),
        **_MEMORY,
        **more,
    }
    names = [f"worker-{place}" for place in range(task_managers)]
    with contextlib.ExitStack() as stack:
        start = _Starter(stack, jar, folder)
        manager = start.java("job-manager", _JOB_MANAGER, common, 512)
        workers = {
            name: start.java(name, _TASK_MANAGER, common | {"taskmanager.resource-id": name}, 512) for name in names
        }
        pool_process = start.pool(pool)
        cluster = FlinkCluster(rest, pool, pool_process, workers)
        wait_until(
            lambda: _registered(rest) == task_managers and listens(pool),
            _READY_SECONDS,
            "Flink",
            [manager, *workers.values(), pool_process],
        )
        yield cluster


@dataclasses.dataclass(frozen=True)
class _Starter:
    stack: contextlib.ExitStack
    jar: Path
    folder: Path

    def java(self, name: str, main: str, settings: dict[str, str], heap_mb: int) -> subprocess.Popen:
        """Starts a process of Flink with its configuration."""
        place = self.folder / name
        place.mkdir()
        (place / "config.yaml").write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
        java = ["java", f"-Xmx{heap_mb}m", "-XX:+UseSerialGC", "-cp", f"{self.jar}:{self.jar.parent}/lib/*"]
        return self.stack.enter_context(server([*java, main, "--configDir", str(place)], self.folder / f"{name}.log"))

    def pool(self, port: int) -> subprocess.Popen:
        """Starts a pool of Python workers, as the containers of a real cluster have one."""
        command = [sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={port}"]
        # The pool starts whatever `python` is on the path.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PATH": path}
        return self.stack.enter_context(server(command, self.folder / "pool.log", environment))


def _registered(port: int) -> int:
    """Returns how many TaskManagers the JobManager knows."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/overview", timeout=5) as answer:
            return json.load(answer)["taskmanagers"]
    except OSError:
        return 0
