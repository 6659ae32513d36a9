"""A master and a worker of Spark on the loopback."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.portability.job_servers import SPARK, java_environment
from tests.portability.processes import free_ports, listens, server, wait_until

_OPENS = [part for package in SPARK.opened.split() for part in ("--add-opens", f"{package}=ALL-UNNAMED")]


@contextlib.contextmanager
def started(jar: Path) -> Iterator[str]:
    """Starts the cluster and yields the URL of its master.

    Args:
      jar: the job server's, with the libraries beside it.
    """
    port, web, worker_web = free_ports(3)
    java = ["java", *_OPENS, "-cp", f"{jar}:{jar.parent}/lib/*"]
    with tempfile.TemporaryDirectory(prefix="spark-") as folder, contextlib.ExitStack() as stack:
        log = Path(folder) / "log"
        # Executors are JVMs that the worker starts with what lies in this folder of Spark's home.
        (Path(folder) / "jars").symlink_to(jar.parent / "lib")
        environment = java_environment() | {
            "SPARK_HOME": folder,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_SCALA_VERSION": "2.12",
        }
        master = ["org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", str(port)]
        first = stack.enter_context(server([*java, *master, "--webui-port", str(web)], log, environment))
        wait_until(lambda: listens(port), 60, "Spark's master", [first])
        worker = ["org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--cores", "2", "--memory", "2g"]
        rest = ["--webui-port", str(worker_web), "--work-dir", f"{folder}/work", f"spark://127.0.0.1:{port}"]
        second = stack.enter_context(server([*java, *worker, *rest], log, environment))
        wait_until(lambda: listens(worker_web), 60, "Spark's worker", [second])
        yield f"spark://127.0.0.1:{port}"
