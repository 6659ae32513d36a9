"""`manifest.json`: what a records folder holds. Readers obey it and never look for files by a pattern.

It is written last, so that a folder without one is an interrupted job. Cases stand in the order in which they lie in
the shards: by shard, and within it without gaps. A case lies in one shard only.

There may be a hundred thousand cases: a manifest is read and written case by case, and an entry takes as little memory as it can.
"""

import collections
import contextlib
import dataclasses
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypedDict

from attent_tf.choices import OrientationPolicy, SliceRule, SplitRule
from attent_tf.data.schema import SCHEMA_VERSION
from attent_tf.data.splits import Split
from attent_tf.errors import ConfigError, RecordsError
from attent_tf.files import json_parts, written_aside
from attent_tf.plain_values import StrictReader
from attent_tf.tasks import Task, task_from_mapping, task_to_mapping
from attent_tf.volumes import CaseGeometry, PrepareOptions

MANIFEST_FILE = "manifest.json"
_SHARD_NAME = re.compile(r"slices-\d{5}-of-\d{5}\.tfrecord")


@dataclasses.dataclass(frozen=True, slots=True)
class ManifestCase:
    """One case of a records folder.

    Attributes:
      case: identifier such as `malbcv-0001`.
      patient: identifier that all scans of a patient share; no split separates them. Slices whose patient is not known
      share one.
      domain: name of a domain of the task.
      dataset: name of the description that it was read with, such as `chaos`.
      split: `train`, `test` or `all` (trains and tests).
      labelled: whether its records hold labels.
      slices: number of its records.
      slice_count: number of slices of the prepared case.
      uses_labels_for_selection: whether labels decided which slices became records.
      sha256: the SHA-256 of the decoded scan and labels, see `attent_tf.datasets.input_digest`.
      shard: file that holds all of its records.
      geometry: the way back to the file's own grid.
    """

    case: str
    patient: str
    domain: str
    dataset: str
    split: Split
    labelled: bool
    slices: int
    slice_count: int
    uses_labels_for_selection: bool
    sha256: str
    shard: str
    geometry: CaseGeometry


@dataclasses.dataclass(frozen=True)
class ManifestShard:
    """One TFRecord file: its name, number of records, size in bytes and SHA-256."""

    file: str
    records: int
    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class RejectedCase:
    """A case that was set aside. `rejected.jsonl` says more.

    Attributes:
      case: identifier such as `malbcv-0001`.
      domain: name of a domain of the task.
      split: the split that it would have had, or empty if its files were too incomplete to plan with.
      reason: one word for the check that it failed.
    """

    case: str
    domain: str
    split: str
    reason: str


class RecordsOptions(TypedDict, total=False):
    """What decided the content of records.

    Attributes:
      split, seed, slices, orientation_policy, shards: as a job was told, see `beam_preprocess.options`.
      preparation: of `PrepareOptions.to_json`.
    """

    split: SplitRule
    seed: int
    slices: SliceRule
    preparation: dict[str, Any]
    orientation_policy: OrientationPolicy
    shards: int


@dataclasses.dataclass(frozen=True)
class Manifest:
    """A records folder's table of contents.

    Attributes:
      schema: version of its form, and of the slices'.
      task: whose classes its labels are, and whose domains its cases come from.
      options: what decided the content, as JSON.
      cases: the cases in the order in which they lie in the shards.
      rejected: cases that were set aside.
      shards: in order of their names.
      fingerprint: SHA-256 over all the rest.
    """

    schema: int
    task: Task
    options: RecordsOptions
    cases: tuple[ManifestCase, ...]
    rejected: tuple[RejectedCase, ...]
    shards: tuple[ManifestShard, ...]
    fingerprint: str

    @property
    def prepare_options(self) -> PrepareOptions:
        """How its scans were prepared.

        Raises:
          RecordsError: the options do not say so.
        """
        try:
            return PrepareOptions.from_json(self.options.get("preparation"))
        except ConfigError as error:
            raise RecordsError(f"{error}; preprocess again") from error

    def select(self, domain: str, split: str) -> tuple[ManifestCase, ...]:
        """Returns the cases of a domain that serve `train` or `test`; cases of the split `all` serve both."""
        return tuple(case for case in self.cases if case.domain == domain and case.split in (split, "all"))


def shard_name(index: int, count: int) -> str:
    """Returns the file name of shard `index` (from 0) of `count`."""
    return f"slices-{index:05d}-of-{count:05d}.tfrecord"


def make_manifest(
    task: Task,
    options: RecordsOptions,
    cases: Iterable[ManifestCase],
    shards: Iterable[ManifestShard],
    rejected: Iterable[RejectedCase] = (),
) -> Manifest:
    """Returns a manifest of the current schema with its fingerprint.

    Args:
      task: whose classes and domains these are.
      options: what decided the content, as JSON; no paths, so that equal input gives equal bytes.
      cases: the cases in the order in which they lie in the shards.
      shards: in order of their names.
      rejected: cases that were set aside.
    """
    manifest = Manifest(SCHEMA_VERSION, task, options.copy(), tuple(cases), tuple(rejected), tuple(shards), "")
    return dataclasses.replace(manifest, fingerprint=_fingerprint(manifest))


def write_manifest(folder: str | os.PathLike[str], manifest: Manifest) -> None:
    """Writes `manifest.json`, completely or not at all."""
    with written_aside(Path(folder) / MANIFEST_FILE) as aside, aside.open("wb") as file:
        file.writelines(manifest_parts(manifest))


def manifest_parts(manifest: Manifest) -> Iterator[bytes]:
    """Yields the content of `manifest.json` in parts; equal manifests give equal bytes."""
    return json_parts(_to_json(manifest))


def read_manifest(folder: str | os.PathLike[str], check_shards: bool = True) -> Manifest:
    """Reads and checks a manifest and that its shards are there in their full size (`verify` looks into them).

    Args:
      folder: a records folder.
      check_shards: whether to look for the shards as well.

    Returns:
      The manifest.

    Raises:
      RecordsError: no such folder, no or a damaged manifest, another schema, or a shard is missing or has another size.
    """
    folder = Path(folder)
    path = folder / MANIFEST_FILE
    if not folder.is_dir():
        raise RecordsError(f"{folder}: no such folder; make it with attent preprocess")
    if not path.is_file():
        raise RecordsError(
            f"{folder}: not a records folder or an interrupted job, {MANIFEST_FILE} is missing; preprocess again"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_hook=_case_or_as_written)
    except ValueError as error:
        raise RecordsError(f"{path}: not valid JSON ({error}); preprocess again") from error
    if isinstance(content, dict) and content.get("schema") != SCHEMA_VERSION:
        raise RecordsError(
            f"{path}: expected records of schema {SCHEMA_VERSION}, found {content.get('schema')!r}; preprocess again"
        )
    manifest = _READER.read(Manifest, content, str(path), RecordsError, "preprocess again")
    _check_agreement(manifest, str(path))
    if check_shards:
        for shard in manifest.shards:
            check_shard_size(folder / shard.file, shard)
    return manifest


def case_to_json(case: ManifestCase) -> dict[str, Any]:
    """Returns a case as the manifest holds it, for JSON."""
    return {name: getattr(case, name) for name in _CASE_KEYS} | {"geometry": case.geometry.to_json()}


def check_shard_size(path: Path, shard: ManifestShard) -> None:
    """Raises RecordsError unless the file of a shard is there in its full size."""
    if not path.is_file():
        raise RecordsError(f"{path}: the manifest lists this shard and it is missing; copy it here or preprocess again")
    size = path.stat().st_size
    if size != shard.bytes:
        raise RecordsError(f"{path}: expected {shard.bytes} bytes, found {size}; copy it again or preprocess again")


_CASE_KEYS = tuple(field.name for field in dataclasses.fields(ManifestCase))
_CASES = StrictReader(complete=True)


def _case_or_as_written(value: dict[str, Any]) -> Any:
    """Makes a case of an object as soon as it is parsed, so that there is never more than one as names and values.

    What is wrong with one is left for the reader to find, who knows where it stands.
    """
    if value.keys() == set(_CASE_KEYS):
        with contextlib.suppress(RecordsError):
            return _case(value)
    return value


def _case(value: Any) -> ManifestCase:
    if isinstance(value, ManifestCase):
        return value
    case = _CASES.read(ManifestCase, value, error=RecordsError)
    # Of what all cases have in common one copy will do.
    shared: dict[str, Any] = {name: sys.intern(getattr(case, name)) for name in ("domain", "dataset", "split", "shard")}
    return dataclasses.replace(case, **shared, patient=case.case if case.patient == case.case else case.patient)


_READER = StrictReader({Task: task_from_mapping, ManifestCase: _case}, complete=True)


def _to_json(manifest: Manifest) -> dict[str, Any]:
    """The manifest for JSON, its cases as an iterator."""
    return {
        **vars(manifest),
        "task": task_to_mapping(manifest.task),
        "cases": map(case_to_json, manifest.cases),
        "rejected": [dataclasses.asdict(case) for case in manifest.rejected],
        "shards": [dataclasses.asdict(shard) for shard in manifest.shards],
    }


def _fingerprint(manifest: Manifest) -> str:
    """Returns the SHA-256 over the canonical JSON of everything but the fingerprint itself."""
    content, digest = _to_json(manifest), hashlib.sha256()
    del content["fingerprint"]
    for part in json_parts(content, canonical=True):
        digest.update(part)
    return digest.hexdigest()


def _check_agreement(manifest: Manifest, path: str) -> None:
    """Checks that the parts of a manifest agree with each other and nothing was edited."""
    files = [shard.file for shard in manifest.shards]
    records: collections.Counter[str] = collections.Counter()
    for case in manifest.cases:
        records[case.shard] += case.slices
    names = [case.case for case in manifest.cases]
    faults = (
        (any(not _SHARD_NAME.fullmatch(file) for file in files), "a shard has an unexpected name"),
        (len(set(files)) < len(files), "a shard is listed twice"),
        (len(set(names)) < len(names), "a case is listed twice"),
        (not set(records) <= set(files), "a case lies in a shard that is not listed"),
        (
            any(records[shard.file] != shard.records for shard in manifest.shards),
            "its numbers of cases and shards do not agree",
        ),
        (any(case.domain not in manifest.task.domain_names for case in manifest.cases), "unknown domain"),
        (
            any(not 0 < case.slices <= case.slice_count for case in manifest.cases),
            "a case has an impossible slice count",
        ),
        (_fingerprint(manifest) != manifest.fingerprint, "its content does not match its fingerprint"),
    )
    for wrong, fault in faults:
        if wrong:
            raise RecordsError(f"{path}: damaged or edited, {fault}; preprocess again")
