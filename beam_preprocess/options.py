"""What a preprocessing job is asked to do."""

import dataclasses
from typing import Any

from attent_tf.data import selection, splits
from attent_tf.errors import ConfigError, InputError
from attent_tf.volumes import PrepareOptions


@dataclasses.dataclass(frozen=True)
class PreprocessOptions:
    """The data, the rules, and the folder to make.

    Attributes:
      out: records folder, which must not exist yet or be empty. Workers on other machines need it at the same path.
      mri: folder of MRI cases, or None.
      ct: folder of CT cases, or None.
      split: `sifa`, `ratio` or `none` (see `attent_tf.data.splits`).
      seed: what `ratio` draws from.
      slices: `body`, `organs` or `all`, for training cases (see `attent_tf.data.selection`); other cases keep all.
      prepare: geometry and intensities of the records.
      orientation_policy: `strict` or `trust_affine`, for NIfTI files that do not say how they lie (see `read_nifti`).
      shards: number of files, or None for one a case but at most 8.
    """

    out: str
    mri: str | None = None
    ct: str | None = None
    split: str = "sifa"
    seed: int = 0
    slices: str = "body"
    prepare: PrepareOptions = PrepareOptions()  # noqa: RUF009 - frozen
    orientation_policy: str = "strict"
    shards: int | None = None

    def check(self) -> None:
        """Refuses what can be told wrong before any file is read.

        Raises:
          InputError: no data folder is given, or `out` is not a path of this machine.
          ConfigError: a rule or a number is not one that exists.
        """
        if self.mri is None and self.ct is None:
            raise InputError("--mri, --ct: expected at least one data folder, received none; pass one or both")
        if "://" in str(self.out):
            raise InputError(
                f"--out: expected a folder that is mounted on every worker, received {self.out}; mount it first"
            )
        for option, value, known in (
            ("--split", self.split, splits.RULES),
            ("--slices", self.slices, selection.RULES),
        ):
            if value not in known:
                raise ConfigError(f"{option}: expected one of {', '.join(known)}; received {value!r}")
        if self.shards is not None and self.shards < 1:
            raise ConfigError(f"--shards: expected 1 or more; received {self.shards}")

    def for_manifest(self, shards: int) -> dict[str, Any]:
        """Returns what decided the content of the records, without any path."""
        return {
            "split": self.split,
            "seed": self.seed,
            "slices": self.slices,
            "preparation": self.prepare.to_json(),
            "orientation_policy": self.orientation_policy,
            "shards": shards,
        }
