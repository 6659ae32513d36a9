"""The folder with a cohort's results: what is in it, what of it is complete, and whose it is.

`model.json` says from the first moment which model the folder's results are of. A case has a label map, `CASE.nii.gz`, and
then a sidecar, `CASE.json`, which is written last: without it, or if it does not fit the model, the scan or the label map, the
case is not done.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attent_tf.choices import OrientationPolicy
from attent_tf.cohort.documents import InputState, ModelIdentity, Sidecar
from attent_tf.cohort.listing import CohortScan
from attent_tf.deployment import ModelContract, read_contract
from attent_tf.errors import InputError
from attent_tf.files import json_bytes
from attent_tf.runs import Run, load_run
from attent_tf.shared_folders import RemoteFolder, SharedFolder, shared_folder
from attent_tf.storage import is_remote, remote_state
from attent_tf.volumes.dicom_files import candidate_files

FORMAT = 1
MODEL_FILE = "model.json"
MANIFEST_FILE, TABLE_FILE, FAILED_FILE = "cohort.json", "cohort.csv", "failed.jsonl"

# What a killed job may leave: files that were being written, and the workers' notes.
_LEFTOVERS = (".aside-", ".work-", ".part-")


def read_model(folder: str | os.PathLike, postprocess: bool | None = None) -> ModelContract:
    """Reads the contract of a package or an exported model for a job.

    Args:
      folder: the folder of a version, or the file of a package.
      postprocess: whether label maps are cleaned all the same, or not; None if the contract decides.

    Raises:
      AttentError: see `read_contract` and `load_run`.
    """
    contract = _packaged(load_run(folder)) if Path(folder).is_file() else read_contract(folder)
    return dataclasses.replace(contract, postprocessing=contract.postprocessing.asked(postprocess))


def _packaged(run: Run) -> ModelContract:
    """A package in the words of an exported model of the same run; results of the two are each other's."""
    if run.package is None:
        raise InputError(
            run.folder, "a package or a version folder", "a run folder", "see attent package, attent export"
        )
    return ModelContract(
        path=run.folder,
        method=run.method,
        direction=run.direction,
        records=run.records,
        weights_sha256=run.package.content["weights_sha256"],
        task=run.task,
        prepare_options=run.prepare_options,
        postprocessing=run.postprocessing,
    )


def model_identity(contract: ModelContract) -> ModelIdentity:
    """Returns as JSON what decides about results: a model is another one where this differs."""
    described = contract.describe()
    identity: ModelIdentity = {
        "method": described["method"],
        "direction": described["direction"],
        "task": described["task"],
        "target": described["target"],
        "records": described["records"],
        "weights_sha256": described["weights_sha256"],
        "optimized": contract.optimized,
        "preparation": contract.prepare_options.to_json(),
    }
    if contract.postprocessing:
        identity["postprocessing"] = contract.postprocessing.to_json()
    # As it is when it has been read again.
    return json.loads(json.dumps(identity))


def input_state(scan: CohortScan) -> InputState:
    """Returns as JSON what tells that a scan is still the same without reading it.

    Args:
      scan: a scan of the list.

    Raises:
      OSError: there is no such file, or it cannot be looked at.
      InputError: there is such a folder, and it cannot be listed.
    """
    if is_remote(scan.path):
        state = {"path": scan.path} | dataclasses.asdict(remote_state(scan.path))
        return state | ({"series": scan.series} if scan.series else {})
    path = Path(scan.path)
    looks = [file.stat() for file in (candidate_files(path) if path.is_dir() else [path])]
    state: InputState = {
        "path": str(path),
        "files": len(looks),
        "bytes": sum(look.st_size for look in looks),
        "mtime_ns": max((look.st_mtime_ns for look in looks), default=0),
    }
    if scan.series:
        state["series"] = scan.series
    return state


@dataclasses.dataclass(frozen=True)
class CohortFolder:
    """The results of a cohort; small enough to travel to workers.

    Attributes:
      path: the path of the folder; workers see it under the same path.
    """

    path: str

    @property
    def files(self) -> SharedFolder:
        """The folder, local or on a file system of Beam."""
        return shared_folder(self.path)

    def labels(self, case: str) -> str:
        """Returns the name of the file with the label map of a case."""
        return f"{case}.nii.gz"

    def sidecar(self, case: str) -> str:
        """Returns the name of the file with what is known of a case."""
        return f"{case}.json"

    def write(self, name: str, content: bytes) -> None:
        """Writes a file, completely or not at all."""
        with self.files.created(name) as file:
            file.write(content)

    def read(self, case: str) -> Sidecar | None:
        """Returns the sidecar of a case; None if there is none or the label map is not the one that it speaks of."""
        content = self._read_json(self.sidecar(case))
        try:
            if content["format"] != FORMAT or self.files.size(self.labels(case)) != content["labels"]["bytes"]:
                return None
        except (OSError, TypeError, KeyError):
            return None
        return content

    def complete(
        self,
        scan: CohortScan,
        identity: ModelIdentity,
        orientation_policy: OrientationPolicy,
        digest: str | None = None,
    ) -> Sidecar | None:
        """Returns the sidecar of a scan that is done, or None where it has to be done.

        Args:
          scan: a scan of the list.
          identity: the model's.
          orientation_policy: with which scans are read.
          digest: SHA-256 of the scan as it is. If None, a scan of the same path, size and time of change is the same.
        """
        content = self.read(scan.case)
        if content is None or content["model"] != identity:
            return None
        # What the strict policy accepts, the other one reads alike.
        if content["orientation_policy"] not in ("strict", orientation_policy):
            return None
        if content["input"].get("series", "") != scan.series:
            return None
        if digest is not None:
            return content if content["input"]["sha256"] == digest else None
        try:
            state = input_state(scan)
        except (OSError, InputError):
            return None
        return content if content["input"] == state | {"sha256": content["input"]["sha256"]} else None

    def begun(self) -> set[str]:
        """Returns the cases that may have a sidecar, by one listing."""
        return {name.removesuffix(".json") for name in self._names() if name.endswith(".json")}

    def discard(self, case: str) -> None:
        """Removes the result of a case, the sidecar first."""
        self.files.delete(self.sidecar(case))
        self.files.delete(self.labels(case))

    def discard_summaries(self) -> None:
        """Removes what speaks of all cases, the manifest first."""
        for name in (MANIFEST_FILE, TABLE_FILE, FAILED_FILE):
            self.files.delete(name)

    @contextlib.contextmanager
    def claimed(self, identity: ModelIdentity, overwrite: bool, scans: tuple[CohortScan, ...]) -> Iterator[None]:
        """Makes the folder for a model if need be, and keeps other jobs out of it while the block runs.

        Args:
          identity: the model's.
          overwrite: whether results of the listed scans, or all results of another model, are removed first.
          scans: the scans of the list.

        Raises:
          InputError: the folder holds other things, results of another model and `overwrite` is not set, or another job
            is at work in it.
        """
        path = self.path
        if not is_remote(path):
            if os.path.exists(path) and not os.path.isdir(path):
                raise InputError(path, "a folder for results", "a file", "choose another --out")
            os.makedirs(path, exist_ok=True)
        with contextlib.nullcontext() if is_remote(path) else self._locked():
            found = self._owner()
            if found is not None and found != identity and not overwrite:
                raise InputError(
                    path,
                    f"results of the model with weights {identity['weights_sha256'][:12]}",
                    f"those of another one, another preparation or postprocessing ({str(found.get('weights_sha256'))[:12]})",
                    "choose another --out, or give --overwrite to remove them",
                )
            self._remove_leftovers()
            if overwrite:
                self.discard_summaries()
                for case in [scan.case for scan in scans] if found in (None, identity) else self._cases():
                    self.discard(case)
            if found != identity:
                self.write(MODEL_FILE, json_bytes({"format": FORMAT, "model": identity}))
            yield

    def _remove_leftovers(self) -> None:
        files = self.files
        if isinstance(files, RemoteFolder):
            for name in files.all_names():
                if name.startswith(_LEFTOVERS):
                    files.delete(name)
            return
        for name in os.listdir(self.path):
            if name.startswith(_LEFTOVERS):
                _remove(Path(self.path) / name)

    def _names(self) -> list[str]:
        """Returns the names of what lies in the folder, without what a killed job left."""
        if is_remote(self.path):
            names = {name.partition("/")[0] for name in self.files.all_names()}
        else:
            names = set(os.listdir(self.path))
        return sorted(name for name in names if not name.startswith(_LEFTOVERS))

    def _owner(self) -> ModelIdentity | None:
        """Returns the identity of the model that the folder is for; None for an empty folder."""
        content = self._read_json(MODEL_FILE)
        if isinstance(content, dict) and isinstance(content.get("model"), dict):
            return content["model"]
        if others := self._names():
            # Files of these names might be the user's own, and would be replaced.
            raise InputError(
                self.path, "an empty folder, or one with results of a cohort", others[0], "choose another --out"
            )
        return None

    def _cases(self) -> list[str]:
        """Returns the cases that have a sidecar."""
        contents = ((name, self._read_json(self.sidecar(name))) for name in sorted(self.begun()))
        return [name for name, content in contents if isinstance(content, dict) and content.get("case") == name]

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise InputError(
                self.path, "a folder to itself", "another job at work in it", "wait until it ends, or stop it"
            ) from None
        except OSError:
            # Some mounts have no locks for folders; there the user has to see to it.
            pass
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                os.close(handle)

    def _read_json(self, name: str) -> Any:
        try:
            with self.files.opened(name) as file:
                return json.loads(file.read().decode())
        except (OSError, ValueError):
            return None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
