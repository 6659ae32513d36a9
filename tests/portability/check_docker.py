"""The container image, built and used without a Docker engine.

Run: make check-docker, or python -m tests.portability.check_docker --target gpu
As root on Debian with `apt-get install buildah debootstrap`. A base image is made of Debian's packages, in place of the one
that the Dockerfile names; everything else is the Dockerfile's. What the image says of itself is compared with what
docs/docker.md promises, and then `attent doctor`, a tiny `attent demo`, preprocessing in two processes and TensorBoard
run in it as users without rights, also without a network and with a root file system that cannot be written. All of it
lies in one folder below --work, which is removed at the end.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cli.machine import tensorflow
from tests.support.small_runs import TINY

ROOT = Path(__file__).resolve().parents[2]
USER, OTHER_USER = "10001:10001", "4321:4321"
MAY_WRITE = ("/tmp", "/var/tmp", "/run/lock", "/dev", "/runs", "/data")
# Folders are copied for each layer, as no file system with layers can be counted on.
WANTED_GIB = {"cpu": 12, "gpu": 45}
_BASE = "localhost/attent-check-base"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

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

# What `docker run --read-only --tmpfs /tmp --network none` leaves to a program, with Docker's 64 MiB of shared memory.
_READ_ONLY = """
root=$1 runs=$2 user=$3
shift 3
ip link set lo up || exit
mount --bind "$root" "$root" && mount -o remount,bind,ro "$root" || exit
mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" || exit
mount -t tmpfs -o nosuid,nodev,noexec,size=64m tmpfs "$root/dev/shm" || exit
mount -t tmpfs -o nosuid,nodev,noexec,mode=1777 tmpfs "$root/tmp" && mount --bind "$runs" "$root/runs" || exit
exec chroot --userspec="$user" "$root" env --ignore-environment --chdir=/runs "$@"
"""


class Store:
    """Images and containers of buildah, in a folder of their own."""

    def __init__(self, folder: Path, driver: str):
        self.folder = folder
        self._command = ["buildah", "--root", str(folder / "storage"), "--runroot", str(folder / "run")]
        self._command += ["--storage-driver", driver]
        self._environment = os.environ | {"BUILDAH_ISOLATION": "chroot", "TMPDIR": str(folder)}

    def __call__(self, *arguments: str, check: bool = True, quiet: bool = True) -> subprocess.CompletedProcess:
        """Runs buildah; what it prints is kept where `quiet`, and otherwise shown."""
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} if quiet else {"stderr": subprocess.STDOUT}
        # A session of its own, so that what runs in the container ends too where this program is told to.
        with subprocess.Popen(
            [*self._command, *arguments],
            env=self._environment,
            text=True,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            **streams,
        ) as process:
            try:
                printed = process.communicate()
            except BaseException:
                os.killpg(process.pid, signal.SIGTERM)
                raise
        done = subprocess.CompletedProcess(process.args, process.returncode, *printed)
        if check and done.returncode:
            raise SystemExit(f"{' '.join(done.args)}: exit status {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done


class Container:
    """A container of an image; commands run in it one after the other."""

    def __init__(self, store: Store, image: str, runs: Path):
        self._store, self._runs = store, runs
        self._name = store("from", image).stdout.strip()
        self._environment = json.loads(store("inspect", self._name).stdout)["Docker"]["config"]["Env"]

    def run(self, *command: str, user: str = USER, environment: dict | None = None) -> subprocess.CompletedProcess:
        """Runs a command as `docker run --user USER --volume RUNS:/runs` would."""
        options = [f"--env={name}={value}" for name, value in (environment or {}).items()]
        return self._store(
            "run", "--user", user, "--volume", f"{self._runs}:/runs", *options, self._name, "--", *command, check=False
        )

    def run_read_only(self, *command: str) -> subprocess.CompletedProcess:
        """Runs a command as `docker run --read-only --tmpfs /tmp --network none --user USER --volume RUNS:/runs` would."""
        root = self._store("mount", self._name).stdout.strip()
        script = ["unshare", "--mount", "--net", "sh", "-c", _READ_ONLY, "sh", root, str(self._runs), OTHER_USER]
        return subprocess.run(
            [*script, *self._environment, *command],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )


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


def make_base(store: Store, suite: str) -> None:
    folder = store.folder / "base"
    command = ["debootstrap", "--variant=minbase", "--include=python3,python3-venv,ca-certificates", suite, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"debootstrap: exit status {done.returncode}\n{done.stdout[-2000:]}")
    for leftover in (*folder.glob("var/lib/apt/lists/*"), *folder.glob("var/cache/apt/*")):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    container = store("from", "scratch").stdout.strip()
    store("add", container, str(folder), "/")
    store("config", "--env", f"PATH={_PATH}", container)
    store("commit", "--rm", container, _BASE)
    shutil.rmtree(folder)


def build(store: Store, target: str, tag: str) -> None:
    """Builds one target of the Dockerfile; `pip` in there has the settings of the one out here."""
    settings = {
        name: os.environ.get(f"PIP_{name.upper().replace('-', '_')}") for name in ("cert", "index-url", "timeout")
    }
    pip_conf = store.folder / "pip.conf"
    pip_conf.write_text("[global]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items() if value))
    volumes = [f"--volume={pip_conf}:/etc/pip.conf:ro"]
    if settings["cert"]:
        certificates = Path(settings["cert"]).parent
        volumes.append(f"--volume={certificates}:{certificates}:ro")
    store(
        *("bud", "--network", "host", "--format", "docker", "--timestamp", "0", "--no-cache", *volumes),
        *("--build-arg", f"BASE={_BASE}", "--target", target, "--tag", tag, str(ROOT)),
        quiet=False,
    )


def layers(store: Store, tag: str) -> list[str]:
    """Returns the digests of an image's layers; its own digest also covers the random names of the containers it is from."""
    return json.loads(store("inspect", "--type", "image", tag).stdout)["Docker"]["rootfs"]["diff_ids"]


def show_size(store: Store, tag: str) -> None:
    """Prints what the image takes on disk, and what it takes to fetch it."""
    described = json.loads(store("images", "--json", tag).stdout)[0]
    pushed = store.folder / "pushed"
    store("push", tag, f"oci:{pushed}:image")
    packed = sum(path.stat().st_size for path in pushed.rglob("*") if path.is_file())
    shutil.rmtree(pushed)
    base = json.loads(store("images", "--json", _BASE).stdout)[0]["size"]
    print(f"   {described['size']} unpacked, of which the base {base}; {packed / 1e6:.0f} MB to fetch", flush=True)


def check_configuration(store: Store, tag: str) -> None:
    config = json.loads(store("inspect", "--type", "image", tag).stdout)["Docker"]["config"]
    expect("ENTRYPOINT is attent", config["Entrypoint"] == ["attent"], config)
    expect("USER is a number and not root", config["User"] == USER, config)
    expect("HEALTHCHECK is attent doctor", config["Healthcheck"]["Test"] == ["CMD", "attent", "doctor"], config)
    seconds = config["Healthcheck"]["Timeout"] / 1e9
    expect("the doctor answers before the engine gives up", seconds > tensorflow.PROBE_TIMEOUT_S, config)
    expect("/data and /runs are volumes", config["Volumes"].keys() == {"/data", "/runs"}, config)


def check_rights(container: Container) -> None:
    expect("runs as user 10001", container.run("id", "-u").stdout.strip() == "10001")
    found = container.run(
        "find", "/", "-xdev", "!", "-type", "l", "-writable", "-not", "-path", "/proc/*"
    ).stdout.split()
    outside = [path for path in found if not path.startswith(MAY_WRITE)]
    expect("the root file system can be read-only: nothing is writable but /tmp, /runs and /data", not outside, outside)
    for name in ("pip", "setuptools", "clang"):
        expect(f"{name} is left out", container.run("python", "-c", f"import {name}").returncode == 1)
    start = container.run("attent", "--help")
    expect("attent --help", start.returncode == 0 and "preprocess" in start.stdout, start)


def check_doctor(container: Container) -> None:
    start = time.monotonic()
    done = container.run("attent", "doctor", "--json")
    seconds = time.monotonic() - start
    expect(f"attent doctor finds all it requires ({seconds:.0f} s)", done.returncode == 0, done.stdout + done.stderr)
    report = json.loads(done.stdout)
    seen = {finding["name"]: finding["found"] for finding in report["findings"]}
    print(f"   TensorFlow {seen['import']}; GPU: {seen['gpu']}; Python {seen['python']}", flush=True)
    strict = container.run("attent", "doctor", "--require-gpu").returncode
    expect("--require-gpu fails exactly where there is no GPU", strict == int(seen["gpu"].startswith("none")))
    homeless = container.run("attent", "doctor", user=OTHER_USER, environment={"HOME": "/"})
    expect("attent doctor as a user without a name and a home", homeless.returncode == 0, homeless.stdout)
    print(
        "\n".join(f"   | {line}" for line in homeless.stdout.splitlines() if "ok" not in line.split()[:1]), flush=True
    )


def check_demo(container: Container, runs: Path) -> None:
    settings = [word for setting in TINY for word in ("--set", setting)]
    command = ["attent", "demo", "--out", "demo", "--subjects", "2", "--methods", "attent", *settings]
    done = container.run(*command, user=OTHER_USER)
    expect("attent demo runs to its report", (runs / "demo" / "report" / "index.html").is_file(), done.stderr[-3000:])
    print("\n".join(f"   | {line}" for line in done.stdout.splitlines()[-4:]), flush=True)
    owners = {path.stat().st_uid for path in runs.rglob("*")}
    expect("what it wrote belongs to the user that was named", owners == {int(OTHER_USER.split(":")[0])}, owners)


def check_read_only(container: Container) -> None:
    tried = container.run_read_only("touch", "/opt/attent/file", "/etc/file", "/var/tmp/file")
    expect("nothing can be written but /tmp and the volumes", tried.stderr.count("Read-only file system") == 3, tried)
    done = container.run_read_only("attent", "doctor", "--json")
    expect("attent doctor", done.returncode == 0, done.stdout + done.stderr)
    (shared,) = (each["found"] for each in json.loads(done.stdout)["findings"] if each["name"] == "shared memory")
    expect("it tells the container's shared memory", shared == "64 MiB", shared)
    command = ["attent", "preprocess", "--mri", "demo/phantom/chaos", "--ct", "demo/phantom/malbcv", "--split", "none"]
    beam = ["--", "--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    done = container.run_read_only(*command, "--out", "records", *beam)
    expect("attent preprocess in two processes", done.returncode == 0, done.stderr[-3000:])
    verified = container.run_read_only("attent", "verify", "--records", "records")
    expect("attent verify of what they wrote", verified.returncode == 0, verified.stderr)


def check_tensorboard(container: Container) -> None:
    done = container.run("python", "-c", _ASK_TENSORBOARD, "demo/runs", "6116", user=OTHER_USER)
    runs = done.stdout.strip()
    expect(f"TensorBoard shows the runs ({runs or 0})", runs.isdigit() and int(runs) > 0, done.stderr[-3000:])


def verify(store: Store, target: str, twice: bool, suite: str) -> None:
    tag = f"localhost/attent:{target}"
    with step(f"base image of Debian {suite} (debootstrap)"):
        make_base(store, suite)
    with step(f"build --target {target} (buildah, chroot isolation)"):
        build(store, target, tag)
    with step("size"):
        show_size(store, tag)
    runs = store.folder / "runs"
    runs.mkdir()
    os.chown(runs, *map(int, OTHER_USER.split(":")))
    container = Container(store, tag, runs)
    with step("configuration"):
        check_configuration(store, tag)
    with step("rights"):
        check_rights(container)
    with step("health"):
        check_doctor(container)
    with step("demo"):
        check_demo(container, runs)
    with step("read-only root file system, no network"):
        check_read_only(container)
    with step("TensorBoard"):
        check_tensorboard(container)
    if twice:
        with step("build again"):
            build(store, target, f"{tag}-again")
            expect("two builds give the same layers", layers(store, tag) == layers(store, f"{tag}-again"))


def remove(folder: Path) -> None:
    """Removes a folder, but not what a container that was killed may have left mounted in it."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((mount for mount in mounts if mount.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", mount], check=True)
    subprocess.run(["rm", "-rf", str(folder)], check=True)  # many times as fast as shutil.rmtree


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", choices=sorted(WANTED_GIB), default="cpu")
    parser.add_argument("--twice", action="store_true", help="build a second time and compare the layers")
    parser.add_argument("--suite", default="bookworm", help="release of Debian for the base image")
    parser.add_argument("--storage-driver", default="vfs", help="of buildah")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()), help="folder with room on its disk")
    arguments = parser.parse_args()
    missing = [program for program in ("buildah", "debootstrap", "ip", "unshare") if shutil.which(program) is None]
    if missing or os.getuid() != 0:
        lacks = f" without {', '.join(missing)}" if missing else ""
        print(f"expected root with buildah, debootstrap, ip and unshare; found user {os.getuid()}{lacks}")
        print("on Debian or Ubuntu: apt-get install buildah debootstrap iproute2 util-linux; then run this as root")
        return 1
    free_gib = shutil.disk_usage(arguments.work).free / 1024**3
    if free_gib < WANTED_GIB[arguments.target]:
        print(
            f"{arguments.work}: expected {WANTED_GIB[arguments.target]} GiB free, found {free_gib:.0f}; name another --work"
        )
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="attent-check-docker-", dir=arguments.work))
    folder.chmod(0o755)
    try:
        verify(Store(folder, arguments.storage_driver), arguments.target, arguments.twice, arguments.suite)
    finally:
        remove(folder)
    print(f"the image {arguments.target} is as it should be", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
