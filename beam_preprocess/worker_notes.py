"""What workers of a job say of cases in their notes, as JSON, and the main program reads; of a shard it is a `ManifestShard`."""

import dataclasses
from typing import Any, TypeVar

from attent_tf.data.manifest import ManifestCase, ManifestShard, case_to_json
from attent_tf.errors import RecordsError
from attent_tf.plain_values import StrictReader
from attent_tf.shared_folders import SharedFolder
from attent_tf.volumes import IntensityStatistics
from beam_preprocess import notes

_READER = StrictReader(complete=True)
_T = TypeVar("_T")


@dataclasses.dataclass(frozen=True, slots=True)
class CaseNote:
    """A case whose slices wait for their shard.

    Attributes:
      entry: an entry of the manifest.
      position: its rank in the manifest.
      warnings: lines that the user has to hear.
      preview: file name of its contact sheet; empty if none was asked for.
    """

    entry: ManifestCase
    position: int
    warnings: tuple[str, ...]
    preview: str

    def to_json(self) -> dict[str, Any]:
        """Returns what the reader makes an equal note of."""
        return {
            "entry": case_to_json(self.entry),
            "position": self.position,
            "warnings": list(self.warnings),
            "preview": self.preview,
        }


@dataclasses.dataclass(frozen=True)
class MeasureNote:
    """The intensity statistics of a training case of a domain."""

    case: str
    domain: str
    statistics: IntensityStatistics


def read_case_note(content: Any) -> CaseNote:
    """Reads what `CaseNote.to_json` returned."""
    return _read(CaseNote, content)


def measure_notes(folder: SharedFolder) -> list[MeasureNote]:
    """Returns all notes of measured cases, in an order that only their names decide."""
    return [_read(MeasureNote, content) for content in notes.collect(folder, notes.MEASURE)]


def shard_notes(folder: SharedFolder) -> list[ManifestShard]:
    """Returns what workers say of the shards that they wrote, by file name."""
    shards = [_read(ManifestShard, content) for content in notes.collect(folder, notes.SHARD)]
    return sorted(shards, key=lambda shard: shard.file)


def _read(kind: type[_T], content: Any) -> _T:
    return _READER.read(kind, content, "a worker's note", RecordsError, "run attent preprocess again")
