"""Feeds damaged files to every reader and lets nothing but the project's own errors out.

Run: python -m tests.fuzz.fuzz_readers [--inputs 20000] [--seed 0] [--target nifti]
An input is a valid file with a few bytes, numbers or parts of it changed. Reading it must succeed or raise an `AttentError` of
one line, within seconds and within the memory limit. What does otherwise is shown, and the exit code is 1.
"""

import argparse
import collections
import dataclasses
import gzip
import hashlib
import io
import json
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import yaml

from attent_tf.configs import load_config
from attent_tf.data import manifest
from attent_tf.data.schema import decode
from attent_tf.data.split_file import read_split_file
from attent_tf.data.verify import verify
from attent_tf.datasets import load_description
from attent_tf.errors import AttentError
from attent_tf.tfrecord import framing
from attent_tf.volumes import read_nifti, read_nifti_labels
from attent_tf.volumes.dicom import read_slices
from attent_tf.volumes.png import read_grey
from tests.fuzz.dicom_folders import Pieces, read_odd_folder
from tests.fuzz.mutations import damaged_bytes, damaged_json
from tests.fuzz.nifti_headers import read_odd_header
from tests.support.abdomen import ABDOMEN
from tests.support.small_runs import make_small_records

SECONDS_PER_INPUT = 20
MEMORY_BYTES = 6 * 2**30


@dataclasses.dataclass(frozen=True)
class Seeds:
    """Valid files to begin with."""

    folder: Path
    nifti: bytes
    labels: bytes
    dicom: bytes
    ground: bytes
    ground_shape: tuple[int, int]
    manifest: dict
    payload: bytes
    description: dict
    config: dict
    dicom_pieces: Pieces

    @classmethod
    def make(cls, folder: Path) -> "Seeds":
        records = make_small_records(folder / "seeds")
        series = folder / "seeds" / "chaos" / "Train_Sets" / "MR" / "1" / "T2SPIR"
        slice_path = sorted((series / "DICOM_anon").iterdir())[0]
        content = manifest.read_manifest(records)
        with (records / content.shards[0].file).open("rb") as file:
            payload = next(framing.read_frames(file, "seed"))
        voxels = np.arange(8 * 7 * 6).reshape(8, 7, 6)
        return cls(
            folder=folder,
            nifti=_nifti_bytes(voxels.astype(np.int16)),
            labels=_nifti_bytes((voxels % 5).astype(np.float32)),
            dicom=slice_path.read_bytes(),
            ground=(series / "Ground" / f"{slice_path.stem}.png").read_bytes(),
            ground_shape=next(read_slices(slice_path))[1].shape,
            manifest=json.loads((records / "manifest.json").read_text()),
            payload=payload,
            description=dataclasses_to_yaml("malbcv"),
            dicom_pieces=Pieces.make(folder / "seeds" / "dicom"),
            config={"data": {"image_size": 64, "zoom_min": 0.9}, "translation": {"steps": 5, "filters": 8}},
        )


def dataclasses_to_yaml(name: str) -> dict:
    """The YAML of a shipped description as plain data."""
    import importlib.resources

    return yaml.safe_load((importlib.resources.files("attent_tf.datasets") / f"{name}.yaml").read_text())


def _nifti_bytes(voxels: np.ndarray) -> bytes:
    image = nibabel.Nifti1Image(voxels, np.diag([1.5, 1.5, 4.0, 1.0]))
    image.set_sform(image.affine, code=1)
    return image.to_bytes()


def _nifti(seeds: Seeds, draw: random.Random) -> None:
    read_nifti(_written(seeds, "scan.nii", damaged_bytes(seeds.nifti, draw, fields=348)), draw.choice(_POLICIES))


def _nifti_gz(seeds: Seeds, draw: random.Random) -> None:
    content = gzip.compress(damaged_bytes(seeds.nifti, draw, fields=348), 1)
    read_nifti(_written(seeds, "scan.nii.gz", damaged_bytes(content, draw) if draw.random() < 0.5 else content))


def _nifti_labels(seeds: Seeds, draw: random.Random) -> None:
    read_nifti_labels(_written(seeds, "label.nii", damaged_bytes(seeds.labels, draw, fields=348)))


def _nifti_header(seeds: Seeds, draw: random.Random) -> None:
    read_odd_header(seeds.folder, draw)


def _dicom(seeds: Seeds, draw: random.Random) -> None:
    list(read_slices(_written(seeds, "slice.dcm", damaged_bytes(seeds.dicom, draw, fields=900))))


def _dicom_enhanced(seeds: Seeds, draw: random.Random) -> None:
    content = damaged_bytes(seeds.dicom_pieces.enhanced, draw, fields=1800)
    list(read_slices(_written(seeds, "enhanced.dcm", content)))


def _dicom_folder(seeds: Seeds, draw: random.Random) -> None:
    read_odd_folder(seeds.dicom_pieces, seeds.folder / "odd", draw)


def _png(seeds: Seeds, draw: random.Random) -> None:
    read_grey(_written(seeds, "ground.png", damaged_bytes(seeds.ground, draw, fields=60)), seeds.ground_shape)


def _description(seeds: Seeds, draw: random.Random) -> None:
    load_description(_yaml(seeds, "description.yaml", seeds.description, draw))


def _config(seeds: Seeds, draw: random.Random) -> None:
    load_config(_yaml(seeds, "config.yaml", seeds.config, draw))


def _split(seeds: Seeds, draw: random.Random) -> None:
    content = {"test": ["chaos-1", "malbcv-0001"], "train": ["chaos-2"]}
    read_split_file(_yaml(seeds, "split.yaml", content, draw))


def _manifest(seeds: Seeds, draw: random.Random) -> None:
    content = damaged_json(seeds.manifest, draw)
    if draw.random() < 0.5 and isinstance(content, dict):
        # A careful forger would correct the fingerprint, so half of the inputs come past that check.
        rest = {key: value for key, value in content.items() if key != "fingerprint"}
        text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
        content["fingerprint"] = hashlib.sha256(text.encode()).hexdigest()
    text = json.dumps(content).encode()
    folder = seeds.folder / "seeds" / "records"
    original = (folder / "manifest.json").read_bytes()
    try:
        (folder / "manifest.json").write_bytes(damaged_bytes(text, draw) if draw.random() < 0.1 else text)
        manifest.read_manifest(folder)
    finally:
        (folder / "manifest.json").write_bytes(original)


def _shard(seeds: Seeds, draw: random.Random) -> None:
    path = seeds.folder / "seeds" / "records" / seeds.manifest["shards"][0]["file"]
    original = path.read_bytes()
    try:
        path.write_bytes(damaged_bytes(original, draw))
        verify(path.parent)
    finally:
        path.write_bytes(original)


def _frames(seeds: Seeds, draw: random.Random) -> None:
    file = io.BytesIO(damaged_bytes(framing.frame(b"x" * 40) * 3, draw))
    for _ in framing.read_frames(file, "frames", draw.randrange(3), draw.choice((None, 1, 3))):
        pass


def _record(seeds: Seeds, draw: random.Random) -> None:
    decode(damaged_bytes(seeds.payload, draw, fields=None if draw.random() < 0.5 else 1200), ABDOMEN)


_POLICIES = ("strict", "trust_affine")

# reader -> (how an input is made and read, share of the inputs)
TARGETS: dict[str, tuple[Callable[[Seeds, random.Random], None], int]] = {
    "nifti": (_nifti, 20),
    "nifti_gz": (_nifti_gz, 8),
    "nifti_labels": (_nifti_labels, 10),
    "nifti_header": (_nifti_header, 20),
    "dicom": (_dicom, 14),
    "dicom_enhanced": (_dicom_enhanced, 6),
    "dicom_folder": (_dicom_folder, 10),
    "png": (_png, 12),
    "description": (_description, 6),
    "config": (_config, 4),
    "split": (_split, 4),
    "manifest": (_manifest, 8),
    "shard": (_shard, 1),
    "frames": (_frames, 3),
    "record": (_record, 4),
}


def _written(seeds: Seeds, name: str, content: bytes) -> Path:
    path = seeds.folder / name
    path.write_bytes(content)
    return path


def _yaml(seeds: Seeds, name: str, content: dict, draw: random.Random) -> Path:
    text = yaml.safe_dump(damaged_json(content, draw)).encode()
    return _written(seeds, name, damaged_bytes(text, draw) if draw.random() < 0.5 else text)


@dataclasses.dataclass
class Outcome:
    """What became of the inputs of one reader."""

    accepted: int = 0
    refused: int = 0
    escaped: list[str] = dataclasses.field(default_factory=list)


def fuzz(inputs: int, seed: int, folder: Path, only: str | None = None) -> dict[str, Outcome]:
    """Reads damaged inputs.

    Args:
      inputs: their number, over all readers.
      seed: the same seed gives the same inputs.
      folder: an empty folder for files.
      only: one reader, or None for all.

    Returns:
      reader to its outcome; `escaped` holds the number of the input and the traceback of what should not have come out.
    """
    seeds = Seeds.make(folder)
    chosen = {name: target for name, target in TARGETS.items() if only in (None, name)}
    shares = sum(share for _, share in chosen.values())
    outcomes = collections.defaultdict(Outcome)
    signal.signal(signal.SIGALRM, _too_long)
    for name, (read, share) in chosen.items():
        for number in range(-(-inputs * share // shares)):
            signal.alarm(SECONDS_PER_INPUT)
            try:
                # Libraries warn about damaged headers; users see our line instead.
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    read(seeds, random.Random(f"{seed}/{name}/{number}"))
                outcomes[name].accepted += 1
            except AttentError as error:
                outcomes[name].refused += 1
                if "\n" in str(error) or not str(error):
                    outcomes[name].escaped.append(f"{name} {number}: a message that is not one line: {str(error)!r}")
            except Exception:
                outcomes[name].escaped.append(f"{name} {number}: {traceback.format_exc()}")
            finally:
                signal.alarm(0)
    return outcomes


def _too_long(*_):
    raise TimeoutError(f"more than {SECONDS_PER_INPUT} seconds")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", choices=TARGETS)
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    start = time.monotonic()
    folder = Path(tempfile.mkdtemp())
    try:
        outcomes = fuzz(arguments.inputs, arguments.seed, folder, arguments.target)
    finally:
        shutil.rmtree(folder)
    print(f"{'reader':14}{'read':>8}{'refused':>9}{'escaped':>9}")
    for name, outcome in outcomes.items():
        print(f"{name:14}{outcome.accepted:8}{outcome.refused:9}{len(outcome.escaped):9}")
    total = sum(outcome.accepted + outcome.refused + len(outcome.escaped) for outcome in outcomes.values())
    escaped = [text for outcome in outcomes.values() for text in outcome.escaped]
    print(f"{total} inputs in {time.monotonic() - start:.0f} s, {len(escaped)} escaped")
    for text in escaped[:20]:
        print(f"\n{text}", file=sys.stderr)
    return bool(escaped)


if __name__ == "__main__":
    sys.exit(main())
