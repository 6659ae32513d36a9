"""Beam's job servers for Flink and Spark, put together from their libraries, as the poms in `jars` pin them.

Beam's own job servers are single jars with everything inside. Here Maven brings the libraries that they are made of (157 MB for
Flink, 300 MB for Spark, 460 MB below ~/.m2), and a jar that holds a manifest alone names them as its class path.
"""

import dataclasses
import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

CACHE = Path(".cache") / "job-servers"
_POMS = Path(__file__).parent / "jars"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_FETCH_SECONDS = 600
_LINE_BYTES = 72

# On two cores a JVM takes a quarter of the memory by itself, and several of them stand side by side.
_MEMORY = "-Xmx1g -XX:+UseSerialGC -XX:MaxMetaspaceSize=512m"

# What Spark reaches into that Java 17 keeps shut otherwise.
_OPENED = (
    "java.base/java.io java.base/java.lang java.base/java.lang.invoke java.base/java.lang.reflect java.base/java.net "
    "java.base/java.nio java.base/java.util java.base/java.util.concurrent java.base/java.util.concurrent.atomic "
    "java.base/sun.nio.ch java.base/sun.nio.cs java.base/sun.security.action java.base/sun.util.calendar"
)


class Skipped(Exception):  # noqa: N818 - says what it means
    """A runner cannot be had here; the text says why."""


class NotFetchedError(Exception):
    """Maven is there and did not bring the libraries; the text says why."""


@dataclasses.dataclass(frozen=True)
class Engine:
    """What a job server is started with.

    Attributes:
      name: of the folder of its pom.
      main_class: of the job server.
      opened: packages of Java that it reaches into.
    """

    name: str
    main_class: str
    opened: str = ""


FLINK = Engine("flink", "org.apache.beam.runners.flink.FlinkJobServerDriver")
SPARK = Engine("spark", "org.apache.beam.runners.spark.SparkJobServerDriver", _OPENED)


def job_server_jar(engine: Engine) -> Path:
    """Returns a jar that starts the job server of an engine; its libraries lie in `lib` beside it.

    Raises:
      Skipped: there is no Java, or no Maven and the libraries are not there.
      NotFetchedError: Maven did not bring them.
    """
    if shutil.which("java") is None:
        raise Skipped("no Java")
    pom = _POMS / engine.name / "pom.xml"
    version = hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    folder = CACHE.resolve() / f"{engine.name}-{version}"
    if not folder.exists():
        if shutil.which("mvn") is None:
            raise Skipped("no Maven")
        part = folder.with_name(f".{folder.name}-{os.getpid()}")
        try:
            _fetch(pom, part)
            _write_manifest_jar(part / "job-server.jar", engine)
            os.replace(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return folder / "job-server.jar"


def java_environment() -> dict[str, str]:
    """Returns the environment in which this machine's JVMs keep within bounds."""
    return os.environ | {"JAVA_TOOL_OPTIONS": _MEMORY}


def manifest_line(key: str, value: str) -> str:
    """Returns an entry of a jar's manifest, whose lines have 72 bytes at most and go on behind a blank."""
    text = f"{key}: {value}"
    first, rest = text[: _LINE_BYTES - 2], text[_LINE_BYTES - 2 :]
    width = _LINE_BYTES - 3
    lines = [first, *(f" {rest[at : at + width]}" for at in range(0, len(rest), width))]
    return "".join(f"{line}\r\n" for line in lines)


def _fetch(pom: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    shutil.copyfile(pom, folder / "pom.xml")
    print(f"fetching what {pom.relative_to(Path.cwd())} names with Maven", flush=True)
    command = ["mvn", "-B", "-q", _COPY, "-DincludeScope=runtime", "-DoutputDirectory=lib"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=_FETCH_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise NotFetchedError(f"Maven did not bring {pom} within {_FETCH_SECONDS} s") from error
    if done.returncode or not list((folder / "lib").glob("*.jar")):
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise NotFetchedError(f"Maven cannot resolve {pom}: {lines[0] if lines else 'no word'}")


def _write_manifest_jar(path: Path, engine: Engine) -> None:
    jars = " ".join(f"lib/{jar.name}" for jar in sorted((path.parent / "lib").glob("*.jar")))
    entries = [("Manifest-Version", "1.0"), ("Main-Class", engine.main_class), ("Class-Path", jars)]
    if engine.opened:
        entries.append(("Add-Opens", engine.opened))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "".join(manifest_line(*entry) for entry in entries) + "\r\n")
