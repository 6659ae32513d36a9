"""Images with a Docker daemon of this program's own: another data folder, another socket, no rule of the firewall touched."""

import contextlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import ClassVar

from isal import igzip

_START_S, _STOP_S = 60, 60
# Reached over the host's network: a bridge would need rules of the firewall.
_HOST = ("--network", "host")


class Docker:
    """A daemon that begins and ends with this object, and its images and containers.

    Raises:
      OSError: the daemon cannot be started here; the message ends with its own last words.
    """

    title = "Docker, BuildKit"
    needs = ("dockerd", "docker", "debootstrap")
    packages = "docker.io debootstrap"
    wanted_gib: ClassVar[dict[str, int]] = {"cpu": 10, "gpu": 30}
    has_daemon = True

    def __init__(self, folder: Path):
        self.folder = folder
        socket = f"unix://{folder}/docker.sock"
        # The client of the daemon's own package, where another one comes first on the path.
        client = shutil.which("docker", path=f"/usr/bin:{os.environ['PATH']}")
        self._command = [client, "--host", socket]
        self._environment = os.environ | {"DOCKER_BUILDKIT": "1", "DOCKER_CONFIG": str(folder / "config")}
        paths = {"data-root": folder / "data", "exec-root": folder / "exec", "pidfile": folder / "dockerd.pid"}
        log = folder / "dockerd.log"
        with log.open("w") as said:
            self._daemon = subprocess.Popen(
                [
                    *("dockerd", "--bridge=none", "--iptables=false", "--ip-forward=false", f"--host={socket}"),
                    *(f"--{name}={path}" for name, path in paths.items()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            end = time.monotonic() + _START_S
            while self("version", check=False).returncode:
                if self._daemon.poll() is not None or time.monotonic() > end:
                    last = (log.read_text().splitlines() or ["it says nothing"])[-1]
                    raise OSError(f"dockerd cannot be started: {last}")
                time.sleep(0.5)
        except BaseException:
            self.close()
            raise

    def __call__(self, *arguments: str, check: bool = True, quiet: bool = True) -> subprocess.CompletedProcess:
        """Runs a command of the client; what it prints is kept where `quiet`, and otherwise shown."""
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} if quiet else {"stderr": subprocess.STDOUT}
        done = subprocess.run(
            [*self._command, *arguments],
            env=self._environment,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            **streams,
        )
        if check and done.returncode:
            raise SystemExit(f"{' '.join(done.args)}: exit status {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def make_image(self, folder: Path, tag: str) -> None:
        """Makes an image of one layer that holds what is in a folder."""
        packed = self.folder / "image.tar"
        subprocess.run(["tar", "-C", str(folder), "-c", "-f", str(packed), "."], check=True)
        self("import", str(packed), tag)
        packed.unlink()

    def build(self, source: Path, target: str, tag: str, arguments: dict[str, str]) -> None:
        """Builds one target of a Dockerfile."""
        settings = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        options = ("--progress", "plain", *_HOST, *settings, "--target", target, "--tag", tag)
        self("build", *options, str(source), quiet=False)

    def size(self, tag: str) -> str:
        """Returns what the image takes on disk."""
        return f"{int(self('image', 'inspect', '--format', '{{.Size}}', tag).stdout) / 1e9:.2f} GB"

    def packed_bytes(self, tag: str) -> int:
        """Returns what it takes to fetch the image, at most: its layers by igzip, which packs a little less."""
        with subprocess.Popen([*self._command, "save", tag], stdout=subprocess.PIPE, text=False) as process:
            counter = _Counter()
            with igzip.GzipFile(fileobj=counter, mode="wb", compresslevel=3) as packer:
                shutil.copyfileobj(process.stdout, packer, 1 << 20)
        return counter.size

    def configuration(self, tag: str) -> dict:
        return json.loads(self("image", "inspect", tag).stdout)[0]["Config"]

    def container(self, tag: str, runs: Path) -> "DockerContainer":
        return DockerContainer(self, tag, runs)

    def start(self, tag: str, *words: str, options: tuple[str, ...] = ()) -> str:
        """Starts a container in the background; returns its id."""
        return self("run", "--detach", "--init", *options, tag, *words).stdout.strip()

    def health(self, container: str, wanted: str, seconds: float) -> str:
        """Waits until a container's health is `wanted`; returns what it is in the end."""
        end = time.monotonic() + seconds
        while True:
            found = self("inspect", "--format", "{{.State.Health.Status}}", container).stdout.strip()
            if found == wanted or time.monotonic() > end:
                return found
            time.sleep(1)

    def close(self) -> None:
        """Ends the daemon with all its containers."""
        with contextlib.suppress(SystemExit):
            running = self("ps", "--quiet", check=False).stdout.split()
            if running:
                self("kill", *running, check=False)
        self._daemon.terminate()
        try:
            self._daemon.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait()


class DockerContainer:
    """A container of an image for each command."""

    def __init__(self, engine: Docker, image: str, runs: Path):
        self._engine, self._image, self._runs = engine, image, runs

    def run(self, *command: str, user: str, environment: dict | None = None) -> subprocess.CompletedProcess:
        """Runs a command with `docker run --user USER --volume RUNS:/runs`."""
        return self._run(
            (*_HOST, *(f"--env={name}={value}" for name, value in (environment or {}).items())), user, command
        )

    def run_read_only(self, *command: str, user: str) -> subprocess.CompletedProcess:
        """Runs a command as docs/docker.md says, with nothing but three folders to write to and no network."""
        options = ("--read-only", "--tmpfs", "/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")
        return self._run((*options, "--network=none"), user, command)

    def _run(self, options, user, command):
        program, *words = command
        fixed = ("--rm", "--init", "--user", user, "--volume", f"{self._runs}:/runs", "--entrypoint", program)
        return self._engine("run", *fixed, *options, self._image, *words, check=False)


class _Counter:
    """A file that keeps nothing but how much was written."""

    def __init__(self):
        self.size = 0

    def write(self, content: bytes) -> int:
        self.size += len(content)
        return len(content)

    def flush(self) -> None:
        """Nothing waits."""
