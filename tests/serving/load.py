"""Many scans from several `attent segment --server` at once, to a server that fails and dies, and what became of each."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nibabel
import numpy as np

from attent_tf.deployment import read_contract
from attent_tf.inference.volumes import Segmentation, segment_prepared
from attent_tf.tasks import task_to_mapping
from attent_tf.volumes import PrepareOptions, prepare, read_scan, write_scan
from tests.serving.banded import SIZE, BandedChain
from tests.serving.faulty import ENVIRONMENT, faulty, peak_mb
from tests.support.abdomen import ABDOMEN, CLASS_NAMES

_COMMAND = (sys.executable, "-W", "ignore", "-c", "from cli.main import main; main()", "segment")
_PATIENCE_S = 600


@dataclasses.dataclass(frozen=True)
class Load:
    """What is asked of a server.

    Attributes:
      kind: rest, grpc.
      scans: how many there are.
      clients: how many processes share them.
      slices: of each scan.
      outages: after how many label maps the server is killed, each time.
      outage_s: how long it is away then.
      settings: of the server, see `faulty_server.py`.
      words: more of the clients' command line.
    """

    kind: str
    scans: int
    clients: int
    slices: int = 6
    outages: tuple[int, ...] = ()
    outage_s: float = 1.0
    settings: dict = dataclasses.field(default_factory=dict)
    words: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of the scans.

    Attributes:
      right: scans with the label map that they should have.
      told: scans without one, and the line that says why.
      seconds: on the wall.
      client_mb, server_mb: the most memory that one of them held.
    """

    right: frozenset[str]
    told: dict[str, str]
    seconds: float
    client_mb: float
    server_mb: float


def run_load(folder: Path, load: Load) -> Outcome:
    """Runs the clients and checks that each scan ended either right or as one line, and none as both, or twice.

    Raises:
      AssertionError: with what was seen.
    """
    contract = _write_contract(folder)
    names = [f"scan{number:03d}" for number in range(load.scans)]
    shares = [names[first :: load.clients] for first in range(load.clients)]
    for number, share in enumerate(shares):
        for name in share:
            _write(folder / f"in{number}" / f"{name}.nii.gz", int(name[4:]), load.slices)
    outages, peak = list(load.outages), 0.0
    begun = time.monotonic()
    with faulty(load.kind, **load.settings) as server:
        running = {_start(folder, number, server.address, load.words): number for number in range(load.clients)}
        client_peak, codes = 0.0, {}
        while running:
            for process in list(running):
                client_peak = max(client_peak, peak_mb(process.pid))
                if process.poll() is not None:
                    codes[running.pop(process)] = process.returncode
            if outages and len(list(folder.glob("out*/*.nii.gz"))) >= outages[0]:
                outages.pop(0)
                peak = max(peak, server.peak_mb())
                server.kill()
                time.sleep(load.outage_s)
                server.start()
            assert time.monotonic() - begun < _PATIENCE_S, f"clients {sorted(running.values())} do not end"
            time.sleep(0.02)
        seconds, peak = time.monotonic() - begun, max(peak, server.peak_mb())
    assert not outages, "the server was not killed as often as it should have been"
    right, told = set(), {}
    for number, share in enumerate(shares):
        done, failed = _check(folder, number, share, codes[number], contract)
        assert not (done | failed.keys()) & (right | told.keys())
        right |= done
        told |= failed
    assert right | told.keys() == set(names)
    return Outcome(frozenset(right), told, seconds, client_peak, peak)


def _check(folder: Path, number: int, share: list[str], code: int, contract) -> tuple[set[str], dict[str, str]]:
    """Returns which scans of a client are right, and the line of each that is not there."""
    said = (folder / f"said{number}.txt").read_text()
    assert "Traceback" not in said, said
    path = folder / f"report{number}.json"
    report = json.loads(path.read_text()) if path.exists() else {"scans": [], "failed": []}
    done = [Path(each["input"]).name.partition(".")[0] for each in report["scans"]]
    lines = said.splitlines()
    told = {}
    for each in report["failed"]:
        name = Path(each["input"]).name.partition(".")[0]
        assert sum(line.endswith(f" {name}: failed") for line in lines) == 1, said
        (told[name],) = [line for line in lines if line.startswith("  ") and f"/{name}.nii.gz: " in line]
    if not path.exists():
        # The server was not there when the client began: one line for all that it was to do.
        (line,) = [line for line in lines if line.startswith("Error: ")]
        told = dict.fromkeys(share, line)
    assert code == (0 if not told else 3 if done else 1), (code, said)
    assert sorted([*done, *told]) == sorted(share), said
    written = sorted(path.name.partition(".")[0] for path in (folder / f"out{number}").glob("*.nii.gz"))
    assert written == sorted(done)
    for name in done:
        volume = read_scan(folder / f"in{number}" / f"{name}.nii.gz", contract.task.domain(contract.target))
        prepared = prepare(volume, contract.prepare_options)
        answer = Segmentation.blank(prepared, contract.task.num_classes)
        segment_prepared(BandedChain(), prepared, answer, postprocessing=contract.postprocessing)
        expected = answer.labels
        (path,) = (folder / f"out{number}").glob(f"{name}*.nii.gz")
        np.testing.assert_array_equal(np.asanyarray(nibabel.load(path).dataobj), expected)
        assert len(np.unique(expected)) > 2
    return set(done), told


def _start(folder: Path, number: int, address: str, words: tuple[str, ...]) -> subprocess.Popen:
    fixed = {"--server": address, "--model-metadata": folder / "metadata.json", "--input": folder / f"in{number}"}
    fixed |= {"--out": folder / f"out{number}", "--report": folder / f"report{number}.json", "--batch-size": 2}
    command = [*_COMMAND, *(str(word) for pair in fixed.items() for word in pair), *words]
    with (folder / f"said{number}.txt").open("w") as said:
        return subprocess.Popen(
            command, env=os.environ | ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said
        )


def _write_contract(folder: Path):
    content = {
        "format": 2,
        "method": "entropy",
        "direction": "mri2ct",
        "training": {"records": "0" * 64, "weights_sha256": "0" * 64},
        "task": task_to_mapping(ABDOMEN),
        "classes": list(CLASS_NAMES),
        "preparation": PrepareOptions(size=SIZE, pixel_mm=10.0).to_json(),
    }
    (folder / "metadata.json").write_text(json.dumps(content))
    return read_contract(folder)


def _write(path: Path, seed: int, slices: int) -> None:
    path.parent.mkdir(exist_ok=True)
    rng = np.random.default_rng(seed)
    voxels = np.full((30, 28, slices), -1000.0, np.float32)
    voxels[4:26, 5:24] = rng.uniform(-160, 240, (22, 19, slices))
    write_scan(path, voxels, np.diag([10.0, 10.0, 5.0, 1.0]), np.float32)
