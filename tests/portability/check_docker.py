"""The container images, built and used: by a Docker daemon of this program's own where one can be started, else by buildah.

Run: make check-docker, or python -m tests.portability.check_docker --target cpu --target gpu
As root on Debian with `apt-get install docker.io buildah debootstrap`. A base image is made of Debian's packages, in place of
the one that the Dockerfile names, and one of Beam's program `boot` in place of Beam's image; everything else is the
Dockerfile's. What an image says of itself is compared with what docs/docker.md promises, and then `attent doctor`, a tiny
`attent demo`, preprocessing in two processes and TensorBoard run in it as users without rights, without a network and with
a root file system that cannot be written. With a daemon the health check is awaited too, and preprocessing goes through the
pool of Beam's workers in a container: from a job in another container and, where Java and Maven are, from Flink out here.
All of it lies in one folder below --work, which is removed at the end.
"""

import argparse
import contextlib
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cli.machine import tensorflow
from tests.portability import job_servers
from tests.portability.buildah_engine import Buildah
from tests.portability.docker_engine import Docker
from tests.support.small_runs import TINY

ROOT = Path(__file__).resolve().parents[2]
USER, OTHER_USER = "10001:10001", "4321:4321"
MAY_WRITE = ("/tmp", "/var/tmp", "/run/lock", "/dev", "/runs", "/data")
_BASE, _BEAM = "localhost/attent-check-base", "localhost/attent-check-beam"
_PHANTOM = ("--mri", "demo/phantom/chaos", "--ct", "demo/phantom/malbcv", "--split", "none")
_PREPROCESS = ("attent", "preprocess", *_PHANTOM)

Engine = Docker | Buildah

# Runs in the container: TensorBoard is asked which runs it sees, as a browser would ask.
_ASK_TENSORBOARD = """
import json, subprocess, sys, time, urllib.request
server = subprocess.Popen(["tensorboard", "--logdir", sys.argv[1], "--port", sys.argv[2]], stderr=subprocess.DEVNULL)
try:
    for _ in range(60):
        time.sleep(1)
        try:
            runs = json.load(urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[2]}/data/runs"))
        except OSError:
            continue
        if runs:
            print(len(runs))
            break
finally:
    server.terminate()
    server.wait()
"""


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    print(f"-- {title}", flush=True)
    start = time.monotonic()
    yield
    print(f"   {time.monotonic() - start:.0f} s", flush=True)


def expect(what: str, holds: bool, seen: object = "") -> None:
    """Prints what was seen to hold, or ends with what was seen in its place."""
    if not holds:
        raise SystemExit(f"   FAILED: {what}\n{seen}")
    print(f"   ok: {what}", flush=True)


def make_base(engine: Engine, suite: str) -> None:
    """Makes the image that stands for Python's own; `pip` in there has the settings of the one out here."""
    folder = engine.folder / "base"
    command = ["debootstrap", "--variant=minbase", "--include=python3,python3-venv,ca-certificates", suite, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"debootstrap: exit status {done.returncode}\n{done.stdout[-2000:]}")
    for leftover in (*folder.glob("var/lib/apt/lists/*"), *folder.glob("var/cache/apt/*")):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    names = {name: f"PIP_{name.upper().replace('-', '_')}" for name in ("cert", "index-url", "timeout")}
    settings = {name: os.environ[variable] for name, variable in names.items() if os.environ.get(variable)}
    if "cert" in settings:
        shutil.copy(settings["cert"], folder / "etc" / "pip-certificates.pem")
        settings["cert"] = "/etc/pip-certificates.pem"
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
    (folder / "etc" / "pip.conf").write_text(f"[global]\n{lines}")
    engine.make_image(folder, _BASE)
    shutil.rmtree(folder)


def make_beam(engine: Engine) -> None:
    """Makes the image that stands for Beam's own, with nothing but `boot` of the locked version."""
    lock = (ROOT / "requirements.lock").read_text()
    version = re.search(r"^apache-beam==(\S+)", lock, re.M).group(1)
    folder = engine.folder / "beam"
    home = folder / "opt" / "apache" / "beam"
    home.mkdir(parents=True)
    module = f"github.com/apache/beam/sdks/v2/python/container@v{version}"
    environment = os.environ | {"GOBIN": str(home), "CGO_ENABLED": "0"}
    done = subprocess.run(["go", "install", module], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"go install {module}: exit status {done.returncode}\n{done.stderr[-2000:]}")
    (home / "container").rename(home / "boot")
    engine.make_image(folder, _BEAM)
    shutil.rmtree(folder)


def build(engine: Engine, target: str, tag: str) -> None:
    engine.build(ROOT, target, tag, {"BASE": _BASE, "BEAM": _BEAM})


def show_size(engine: Engine, tag: str) -> None:
    """Prints what the image takes on disk, and what it takes to fetch it."""
    packed = engine.packed_bytes(tag) / 1e6
    print(
        f"   {engine.size(tag)} unpacked, of which the base {engine.size(_BASE)}; {packed:.0f} MB to fetch", flush=True
    )


def check_configuration(engine: Engine, tag: str) -> None:
    config = engine.configuration(tag)
    expect("ENTRYPOINT is attent", config["Entrypoint"] == ["attent"], config)
    expect("USER is a number and not root", config["User"] == USER, config)
    expect("HEALTHCHECK is attent doctor", config["Healthcheck"]["Test"] == ["CMD", "attent", "doctor"], config)
    seconds = config["Healthcheck"]["Timeout"] / 1e9
    expect("the doctor answers before the engine gives up", seconds > tensorflow.PROBE_TIMEOUT_S, config)
    expect("/data and /runs are volumes", config["Volumes"].keys() == {"/data", "/runs"}, config)


def check_rights(container) -> None:
    expect("runs as user 10001", container.run("id", "-u", user=USER).stdout.strip() == "10001")
    find = ("find", "/", "-xdev", "!", "-type", "l", "-writable", "-not", "-path", "/proc/*")
    found = container.run(*find, user=USER).stdout.split()
    outside = [path for path in found if not path.startswith(MAY_WRITE)]
    expect("the root file system can be read-only: nothing is writable but /tmp, /runs and /data", not outside, outside)
    for name in ("pip", "setuptools", "clang"):
        expect(f"{name} is left out", container.run("python", "-c", f"import {name}", user=USER).returncode == 1)
    start = container.run("attent", "--help", user=USER)
    expect("attent --help", start.returncode == 0 and "preprocess" in start.stdout, start)


def check_doctor(container) -> None:
    start = time.monotonic()
    done = container.run("attent", "doctor", "--json", user=USER)
    seconds = time.monotonic() - start
    expect(f"attent doctor finds all it requires ({seconds:.0f} s)", done.returncode == 0, done.stdout + done.stderr)
    report = json.loads(done.stdout)
    seen = {finding["name"]: finding["found"] for finding in report["findings"]}
    print(f"   TensorFlow {seen['import']}; GPU: {seen['gpu']}; Python {seen['python']}", flush=True)
    strict = container.run("attent", "doctor", "--require-gpu", user=USER).returncode
    expect("--require-gpu fails exactly where there is no GPU", strict == int(seen["gpu"].startswith("none")))
    homeless = container.run("attent", "doctor", user=OTHER_USER, environment={"HOME": "/"})
    expect("attent doctor as a user without a name and a home", homeless.returncode == 0, homeless.stdout)
    print(
        "\n".join(f"   | {line}" for line in homeless.stdout.splitlines() if "ok" not in line.split()[:1]), flush=True
    )


def check_demo(container, runs: Path) -> None:
    settings = [word for setting in TINY for word in ("--set", setting)]
    command = ["attent", "demo", "--out", "demo", "--subjects", "2", "--methods", "attent", *settings]
    done = container.run_read_only(*command, user=OTHER_USER)
    expect(
        "attent demo runs to its report, on a read-only root and without a network",
        (runs / "demo" / "report" / "index.html").is_file(),
        done.stderr[-3000:],
    )
    print("\n".join(f"   | {line}" for line in done.stdout.splitlines()[-4:]), flush=True)
    owners = {path.stat().st_uid for path in runs.rglob("*")}
    expect("what it wrote belongs to the user that was named", owners == {int(OTHER_USER.split(":")[0])}, owners)


def check_read_only(container) -> None:
    run = functools.partial(container.run_read_only, user=OTHER_USER)
    tried = run("touch", "/opt/attent/file", "/etc/file", "/var/tmp/file")
    expect("nothing can be written but /tmp and the volumes", tried.stderr.count("Read-only file system") == 3, tried)
    done = run("attent", "doctor", "--json")
    expect("attent doctor", done.returncode == 0, done.stdout + done.stderr)
    (shared,) = (each["found"] for each in json.loads(done.stdout)["findings"] if each["name"] == "shared memory")
    expect("it tells the container's shared memory", shared == "64 MiB", shared)
    beam = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    done = run(*_PREPROCESS, "--out", "records", "--", *beam)
    expect("attent preprocess in two processes", done.returncode == 0, done.stderr[-3000:])
    verified = run("attent", "verify", "--records", "records")
    expect("attent verify of what they wrote", verified.returncode == 0, verified.stderr)


def check_tensorboard(container) -> None:
    done = container.run("python", "-c", _ASK_TENSORBOARD, "demo/runs", "6116", user=OTHER_USER)
    runs = done.stdout.strip()
    expect(f"TensorBoard shows the runs ({runs or 0})", runs.isdigit() and int(runs) > 0, done.stderr[-3000:])


def check_health(engine: Docker, tag: str) -> None:
    container = engine.start(tag, "900", options=("--network=none", "--health-interval=1s", "--entrypoint=sleep"))
    found = engine.health(container, "healthy", 180)
    expect("the daemon calls a container healthy", found == "healthy", found)
    engine("rm", "--force", container)


def check_pool(engine: Docker, cpu: str, tag: str, runs: Path) -> None:
    """Preprocesses through workers that `boot` starts in a container; the job itself is in another one."""
    runner = ("--runner=PortableRunner", "--job_endpoint=embed")
    command = ("--rm", "--init", "--network=host", "--user", OTHER_USER, "--volume", f"{runs}:/runs", cpu)

    def job(*beam: str) -> subprocess.CompletedProcess:
        words = (*_PREPROCESS[1:], "--out", "records-pool", "--", *runner, *beam)
        return engine("run", *command, *words, check=False)

    _through_pool(engine, tag, f"{runs}:/runs", job)
    _expect_records(runs, "records-pool")


def check_pool_of_flink(engine: Docker, tag: str, runs: Path) -> None:
    """The same from a Flink on this machine, so that the container and the job see the data under one path."""
    try:
        jar = job_servers.job_server_jar(job_servers.FLINK)
    except job_servers.Skipped as reason:
        print(f"   not run: Flink: {reason}", flush=True)
        return
    flink = ("--runner=FlinkRunner", f"--flink_job_server_jar={jar}", "--parallelism=2")

    def job(*beam: str) -> subprocess.CompletedProcess:
        places = [word.replace("demo/", f"{runs}/demo/") for word in _PREPROCESS[1:]]
        words = (*places, "--out", str(runs / "records-flink"), "--", *flink, *beam)
        # The pool's user is another one, and writes into folders that this job makes.
        return _run([sys.executable, "-m", "cli.main", *words], umask=0, env=job_servers.java_environment())

    _through_pool(engine, tag, f"{runs}:{runs}", job)
    _expect_records(runs, "records-flink")


def _through_pool(engine: Docker, tag: str, volume: str, job: Callable[..., subprocess.CompletedProcess]) -> None:
    """Runs a job with the flags of workers that `boot` starts in a container without rights."""
    options = ("--network=host", "--user", OTHER_USER, "--volume", volume)
    pool = engine.start(tag, "--worker_pool", options=(*options, "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL"))
    done = job("--environment_type=EXTERNAL", "--environment_config=localhost:50000")
    said = engine("logs", pool)
    engine("rm", "--force", pool)
    told = done.stdout[-3000:] + done.stderr[-3000:] + said.stderr[-3000:]
    expect("attent preprocess through the pool", done.returncode == 0, told)
    started = (said.stdout + said.stderr).count("Starting worker with command")
    expect(f"boot started workers ({started})", started > 0, said.stdout + said.stderr)


def _expect_records(runs: Path, name: str) -> None:
    before, found = (_contents(runs / folder) for folder in ("records", name))
    expect(
        f"the records are those of the workers before, byte for byte ({len(before)} files)", before == found and before
    )


def _contents(folder: Path) -> dict[str, bytes]:
    """Records and manifest by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check_compose(folder: Path) -> None:
    """Lets Compose read the files that the documents show, where there is one: its plugin, or Debian's program."""
    asked = (["docker", "compose"], ["docker-compose"])
    found = [words for words in asked if shutil.which(words[0]) and not _run([*words, "version"]).returncode]
    if not found:
        print("   not read: no Compose is installed", flush=True)
    for compose in found:
        version = _run([*compose, "version", "--short"]).stdout.strip()
        for page in ("docker.md", "serving.md"):
            (block,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / page).read_text(), re.S)
            (folder / "compose.yaml").write_text(block)
            done = _run([*compose, "--file", str(folder / "compose.yaml"), "config", "--quiet"])
            expect(f"Compose {version} takes the file of docs/{page}", done.returncode == 0, done.stderr)


def _run(words: list[str], **options) -> subprocess.CompletedProcess:
    return subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **options)


def verify(engine: Engine, target: str, twice: bool) -> None:
    tag = f"localhost/attent:{target}"
    with step(f"build --target {target} ({engine.title})"):
        build(engine, target, tag)
    with step("size"):
        show_size(engine, tag)
    runs = engine.folder / f"runs-{target}"
    runs.mkdir()
    os.chown(runs, *map(int, OTHER_USER.split(":")))
    container = engine.container(tag, runs)
    with step("configuration"):
        check_configuration(engine, tag)
    with step("rights"):
        check_rights(container)
    with step("doctor"):
        check_doctor(container)
    if engine.has_daemon:
        with step("health"):
            check_health(engine, tag)
    with step("demo"):
        check_demo(container, runs)
    with step("read-only root file system, no network"):
        check_read_only(container)
    with step("TensorBoard"):
        check_tensorboard(container)
    if engine.has_daemon and target == "cpu" and shutil.which("go"):
        with step("pool of Beam's workers (build --target worker)"):
            make_beam(engine)
            build(engine, "worker", "localhost/attent:worker")
            show_size(engine, "localhost/attent:worker")
            check_pool(engine, tag, "localhost/attent:worker", runs)
        with step("the same pool, and Flink"):
            check_pool_of_flink(engine, "localhost/attent:worker", runs)
    if twice:
        with step("build again"):
            build(engine, target, f"{tag}-again")
            expect("two builds give the same layers", engine.layers(tag) == engine.layers(f"{tag}-again"))


def remove(folder: Path) -> None:
    """Removes a folder, but not what a container that was killed may have left mounted in it."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((mount for mount in mounts if mount.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", mount], check=True)
    subprocess.run(["rm", "-rf", str(folder)], check=True)  # many times as fast as shutil.rmtree


def open_engine(name: str, folder: Path) -> Engine:
    """Returns the engine that is asked for; without a name a daemon, or buildah where none can be started."""
    if name != "buildah":
        try:
            return Docker(folder)
        except OSError as error:
            if name == "docker":
                raise SystemExit(str(error)) from error
            print(f"{error}; going on with buildah", flush=True)
    return Buildah(folder)


def lacks(kind: type[Engine]) -> list[str]:
    return [program for program in kind.needs if shutil.which(program) is None]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", choices=("cpu", "gpu"), action="append", help="both if left out")
    parser.add_argument("--engine", choices=("docker", "buildah"), help="Docker if it can be started, if left out")
    parser.add_argument("--twice", action="store_true", help="build a second time and compare the layers (buildah)")
    parser.add_argument("--suite", default="bookworm", help="release of Debian for the base image")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()), help="folder with room on its disk")
    arguments = parser.parse_args()
    targets = arguments.target or ["cpu", "gpu"]
    # Only buildah can give all files of an image one time.
    name = arguments.engine or ("buildah" if arguments.twice or lacks(Docker) else "")
    kind = Buildah if name == "buildah" else Docker
    if os.getuid() != 0 or lacks(kind) or (arguments.twice and kind is Docker):
        missing = f" without {', '.join(lacks(kind))}" if lacks(kind) else ""
        print(
            f"expected root with {', '.join(kind.needs)}; found user {os.getuid()}{missing}; --twice goes with buildah"
        )
        print(f"on Debian or Ubuntu: apt-get install {kind.packages}; then run this as root")
        return 1
    wanted, free_gib = (
        max(kind.wanted_gib[target] for target in targets),
        shutil.disk_usage(arguments.work).free / 1024**3,
    )
    if free_gib < wanted:
        print(f"{arguments.work}: expected {wanted} GiB free, found {free_gib:.0f}; name another --work")
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="attent-check-docker-", dir=arguments.work))
    folder.chmod(0o755)
    try:
        with contextlib.closing(open_engine(name, folder)) as engine:
            with step(f"base image of Debian {arguments.suite} (debootstrap)"):
                make_base(engine, arguments.suite)
            with step("Compose files of the documents"):
                check_compose(folder)
            for target in targets:
                verify(engine, target, arguments.twice)
    finally:
        remove(folder)
    print(f"the images {' and '.join(targets)} are as they should be", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
