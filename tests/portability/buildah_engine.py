"""Images without a Docker daemon: built by buildah in chroot isolation, run in namespaces of this program's making."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import ClassVar

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

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


class Buildah:
    """Images and containers of buildah, in a folder of their own."""

    title = "buildah, chroot isolation"
    needs = ("buildah", "debootstrap", "ip", "unshare")
    packages = "buildah debootstrap iproute2 util-linux"
    # Folders are copied for each layer, as no file system with layers can be counted on.
    wanted_gib: ClassVar[dict[str, int]] = {"cpu": 12, "gpu": 45}
    has_daemon = False

    def __init__(self, folder: Path):
        self.folder = folder
        self._command = ["buildah", "--root", str(folder / "storage"), "--runroot", str(folder / "run")]
        self._command += ["--storage-driver", "vfs"]
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

    def make_image(self, folder: Path, tag: str) -> None:
        """Makes an image of one layer that holds what is in a folder."""
        container = self("from", "scratch").stdout.strip()
        self("add", container, str(folder), "/")
        self("config", "--env", f"PATH={_PATH}", container)
        self("commit", "--rm", container, tag)

    def build(self, source: Path, target: str, tag: str, arguments: dict[str, str]) -> None:
        """Builds one target of a Dockerfile."""
        settings = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        self(
            *("bud", "--network", "host", "--format", "docker", "--timestamp", "0", "--no-cache"),
            *(*settings, "--target", target, "--tag", tag, str(source)),
            quiet=False,
        )

    def layers(self, tag: str) -> list[str]:
        """Returns the digests of an image's layers; its own digest also covers the random names of the containers it is from."""
        return json.loads(self("inspect", "--type", "image", tag).stdout)["Docker"]["rootfs"]["diff_ids"]

    def size(self, tag: str) -> str:
        """Returns what the image takes on disk."""
        return json.loads(self("images", "--json", tag).stdout)[0]["size"]

    def packed_bytes(self, tag: str) -> int:
        """Returns what it takes to fetch the image."""
        pushed = self.folder / "pushed"
        self("push", tag, f"oci:{pushed}:image")
        packed = sum(path.stat().st_size for path in pushed.rglob("*") if path.is_file())
        shutil.rmtree(pushed)
        return packed

    def configuration(self, tag: str) -> dict:
        return json.loads(self("inspect", "--type", "image", tag).stdout)["Docker"]["config"]

    def container(self, tag: str, runs: Path) -> "BuildahContainer":
        return BuildahContainer(self, tag, runs)

    def close(self) -> None:
        """Nothing stays behind but the folder."""


class BuildahContainer:
    """A container of an image; commands run in it one after the other."""

    def __init__(self, engine: Buildah, image: str, runs: Path):
        self._engine, self._runs = engine, runs
        self._name = engine("from", image).stdout.strip()
        self._environment = json.loads(engine("inspect", self._name).stdout)["Docker"]["config"]["Env"]

    def run(self, *command: str, user: str, environment: dict | None = None) -> subprocess.CompletedProcess:
        """Runs a command as `docker run --user USER --volume RUNS:/runs` would."""
        options = [f"--env={name}={value}" for name, value in (environment or {}).items()]
        volume = f"{self._runs}:/runs"
        return self._engine(
            "run", "--user", user, "--volume", volume, *options, self._name, "--", *command, check=False
        )

    def run_read_only(self, *command: str, user: str) -> subprocess.CompletedProcess:
        """Runs a command as `docker run --read-only --tmpfs /tmp --network none --user USER --volume RUNS:/runs` would."""
        root = self._engine("mount", self._name).stdout.strip()
        script = ["unshare", "--mount", "--net", "sh", "-c", _READ_ONLY, "sh", root, str(self._runs), user]
        return subprocess.run(
            [*script, *self._environment, *command],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
