"""`preprocess`: what `attent preprocess` does. `attent_tf` offers it by name."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

from attent_tf.choices import Geometry, OnError, OrientationPolicy, SliceRule, SplitRule
from attent_tf.data.manifest import Manifest
from attent_tf.progress import Progress, observer_of
from attent_tf.tasks import DEFAULT_TASK, Task, load_task, parse_rule
from attent_tf.volumes import PrepareOptions
from beam_preprocess.job import run
from beam_preprocess.options import PreprocessOptions
from beam_preprocess.quiet import beam_kept_quiet

Path = str | os.PathLike[str]


def preprocess(
    out: Path,
    domain: Mapping[str, Path],
    task: Task | Path = DEFAULT_TASK,
    *,
    domain_dataset: Mapping[str, Path] | None = None,
    overwrite: bool = False,
    on_error: OnError = "fail",
    split: SplitRule = "sifa",
    seed: int = 0,
    split_file: Path | None = None,
    slices: SliceRule = "body",
    geometry: Geometry = "physical",
    pixel_mm: float = 1.6,
    slice_mm: float | None = None,
    neighbours: int = 0,
    intensity: Mapping[str, str] | None = None,
    orientation_policy: OrientationPolicy = "strict",
    shards: int | None = None,
    preview: bool = False,
    verbose: bool = False,
    beam_options: Sequence[str] = (),
    progress: Progress = None,
) -> Manifest:
    """Turns folders of scans into sliced TFRecords: a records folder, which appears complete or not at all.

    Args:
      out: the records folder to make, local or on a file system of Beam.
      domain: name of a domain of the task -> the folder of its cases in a known layout, or a YAML description that names its
        root; one domain or more.
      task: structures and domains: `abdomen`, `cardiac`, `shapes`, or a YAML file.
      domain_dataset: name of a domain -> its folder's layout on disk: name or YAML file of a description; recognised for
        domains that are not named.
      overwrite: whether an existing records folder is replaced.
      on_error: what to do with a case that cannot be used: `fail` stops, `skip` sets it aside in `rejected.jsonl`.
      split: `sifa`, `ratio`, `file` or `none`.
      seed: seed from which `ratio` draws.
      split_file: YAML file with `test` and `train`, for `file`.
      slices: which slices of training cases are kept: `body`, `organs` or `all`.
      geometry: `physical` (pixels of `pixel_mm`, centred on the body) or `resize` (the whole slice).
      pixel_mm: edge of a pixel, for `physical`.
      slice_mm: distance of slices that are resampled; the scan's own slices if None.
      neighbours: number of slices on each side that a record holds as further channels.
      intensity: name of a domain -> its intensity rule as text, such as `window:-160:240`.
      orientation_policy: `strict` or `trust_affine`, for NIfTI files that do not say how they lie.
      shards: number of TFRecord files; if None, one per case and at most 8.
      preview: whether a contact sheet is drawn for each case.
      verbose: whether Beam's own messages on standard error are shown.
      beam_options: Apache Beam's own flags, such as `["--direct_num_workers=2"]`.
      progress: see `attent_tf.progress.Progress`; a line for each case, in the order in which cases are done.

    Returns:
      The manifest of the folder.

    Raises:
      InputError: a data folder or a case is not what it should be, or `out` exists.
      ConfigError: a rule does not fit the data, a Beam option is wrong, or the runner cannot be started.
    """
    options = job_options(
        out,
        domain,
        task,
        domain_dataset=domain_dataset,
        intensity=intensity,
        geometry=geometry,
        pixel_mm=pixel_mm,
        slice_mm=slice_mm,
        neighbours=neighbours,
        split=split,
        seed=seed,
        split_file=None if split_file is None else os.fspath(split_file),
        slices=slices,
        orientation_policy=orientation_policy,
        shards=shards,
        on_error=on_error,
        overwrite=overwrite,
        preview=preview,
    )
    with contextlib.nullcontext() if verbose else beam_kept_quiet():
        return run(options, beam_options, observer_of(progress).say)


class JobRules(TypedDict):
    """Arguments of `preprocess` that are fields of `PreprocessOptions` as they stand."""

    split: SplitRule
    seed: int
    split_file: str | None
    slices: SliceRule
    orientation_policy: OrientationPolicy
    shards: int | None
    on_error: OnError
    overwrite: bool
    preview: bool


def job_options(
    out: Path,
    domain: Mapping[str, Path],
    task: Task | Path,
    *,
    domain_dataset: Mapping[str, Path] | None,
    intensity: Mapping[str, str] | None,
    geometry: Geometry,
    pixel_mm: float,
    slice_mm: float | None,
    neighbours: int,
    **rules: Unpack[JobRules],
) -> PreprocessOptions:
    """Returns the options of a job from the arguments of `preprocess`; `rules` are those that stay as they are."""
    return PreprocessOptions(
        out=os.fspath(out),
        task=task if isinstance(task, Task) else load_task(os.fspath(task)),
        folders={name: os.fspath(folder) for name, folder in domain.items()},
        datasets={name: os.fspath(given) for name, given in (domain_dataset or {}).items()},
        intensity={name: parse_rule(rule) for name, rule in (intensity or {}).items()},
        prepare=PrepareOptions(geometry=geometry, pixel_mm=pixel_mm, slice_mm=slice_mm, neighbours=neighbours),
        **rules,
    )
