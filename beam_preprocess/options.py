"""What a preprocessing job is asked to do."""

import dataclasses
from collections.abc import Mapping

from attent_tf.choices import ON_ERROR, SLICE_RULES, SPLIT_RULES, OnError, OrientationPolicy, SliceRule, SplitRule
from attent_tf.data.manifest import RecordsOptions
from attent_tf.errors import ConfigError, InputError
from attent_tf.tasks import IntensityRule, Task
from attent_tf.volumes import PrepareOptions


@dataclasses.dataclass(frozen=True)
class PreprocessOptions:
    """The data, the rules, and the folder to make.

    Attributes:
      out: records folder, local or on a file system of Beam. Workers on other machines need it at the same path.
      task: what is segmented, and between which domains.
      folders: by name of the domain, the folder of its cases or a YAML description that says its root; one domain or more.
      datasets: by name of the domain, name or YAML file of the description of its folder; where there is none, the layout is
        recognised.
      intensity: by name of the domain, its intensity rule; where there is none, that of the data set's description, or else of
        `prepare`, or else the task's.
      split: `sifa`, `ratio`, `file` or `none` (see `attent_tf.data.splits`).
      seed: what `ratio` draws from.
      split_file: YAML file with the user's own split, for `file`.
      slices: `body`, `organs` or `all`, for training cases (see `attent_tf.data.selection`); other cases keep all.
      prepare: geometry and intensities of the records.
      orientation_policy: `strict` or `trust_affine`, for NIfTI files that do not say how they lie (see `read_nifti`).
      shards: number of files, or None for one per case but at most 8.
      on_error: `fail` stops at the first case that cannot be used; `skip` sets such cases aside in `rejected.jsonl`.
      overwrite: whether a records folder that exists is replaced.
      preview: whether a contact sheet is drawn for each case.
    """

    out: str
    task: Task
    folders: Mapping[str, str]
    datasets: Mapping[str, str] = dataclasses.field(default_factory=dict)
    intensity: Mapping[str, IntensityRule] = dataclasses.field(default_factory=dict)
    split: SplitRule = "sifa"
    seed: int = 0
    split_file: str | None = None
    slices: SliceRule = "body"
    prepare: PrepareOptions = PrepareOptions()  # noqa: RUF009 - frozen
    orientation_policy: OrientationPolicy = "strict"
    shards: int | None = None
    on_error: OnError = "fail"
    overwrite: bool = False
    preview: bool = False

    def check(self) -> None:
        """Refuses what can be told wrong before any file is read.

        Raises:
          InputError: no data folder is given.
          ConfigError: a rule or a number is not one that exists, or the task has no such domain.
        """
        if not self.folders:
            raise InputError(
                "--domain (or --mri, --ct): expected at least one data folder, found none; pass one or more, such as "
                f"--domain {self.task.domain_names[0]}=DIR"
            )
        for by_domain, noun in (
            (self.folders, ""),
            (self.datasets, "a description"),
            (self.intensity, "an intensity rule"),
        ):
            for name in by_domain:
                self.task.domain(name)
                if name not in self.folders:
                    raise ConfigError(
                        f"domain {name}: expected a data folder too, as there is {noun} of it; pass --domain {name}=DIR"
                    )
        for option, value, known in (
            ("--split", self.split, SPLIT_RULES),
            ("--slices", self.slices, SLICE_RULES),
            ("--on-error", self.on_error, ON_ERROR),
        ):
            if value not in known:
                raise ConfigError(f"{option}: expected one of {', '.join(known)}, found {value!r}")
        if (self.split == "file") != (self.split_file is not None):
            raise ConfigError("--split file, --split-file: expected both or neither, found one")
        if self.shards is not None and self.shards < 1:
            raise ConfigError(f"--shards: expected 1 or more, found {self.shards}")

    def for_manifest(self, shards: int) -> RecordsOptions:
        """Returns what decided the content of the records, without any path."""
        return {
            "split": self.split,
            "seed": self.seed,
            "slices": self.slices,
            "preparation": self.prepare.to_json(),
            "orientation_policy": self.orientation_policy,
            "shards": shards,
        }
