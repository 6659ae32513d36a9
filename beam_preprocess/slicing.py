"""From one case's files to its records: what every worker does, without Beam."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from attent_tf.data.manifest import ManifestCase
from attent_tf.data.schema import SliceRecord
from attent_tf.data.selection import choose_slices
from attent_tf.datasets import input_digest, read_case
from attent_tf.volumes import (
    IntensityStatistics,
    PreparedCase,
    measure_case,
    pool_statistics,
    prepare,
    stack_neighbours,
)
from attent_tf.volumes.plausibility import volume_warnings
from beam_preprocess.options import PreprocessOptions
from beam_preprocess.plan import PlannedCase


class ReadCase(NamedTuple):
    """A case that was read and prepared, and the slices of it to keep.

    Attributes:
      prepared: the whole case on the record grid.
      kept: [kept] indices of the slices that become records.
      entry: the case's entry in the manifest.
      warnings: lines that the user has to hear.
    """

    prepared: PreparedCase
    kept: np.ndarray
    entry: ManifestCase
    warnings: tuple[str, ...]


def measure(planned: PlannedCase, options: PreprocessOptions) -> IntensityStatistics:
    """Reads a training case and takes the statistics that its domain's rule pools.

    Raises:
      InputError: the case cannot be read or shows no body.
    """
    volume = read_case(planned.files, options.orientation_policy)
    return measure_case(volume, options.prepare.intensity_rule(volume.domain))


def with_training_statistics(
    options: PreprocessOptions, measured: Mapping[str, Sequence[IntensityStatistics]]
) -> PreprocessOptions:
    """Puts what the training cases gave in the place of the rules that ask for it.

    Args:
      options: the job's.
      measured: by domain, from `measure`.

    Raises:
      InputError: a domain has no training case that could be measured, or no contrast in them.
    """
    pooled = {
        name: pool_statistics(measured.get(name, []), options.prepare.intensity[name], f"the training cases of {name}")
        for name in options.prepare.unresolved()
        if name in options.folders
    }
    return dataclasses.replace(options, prepare=options.prepare.resolved(pooled))


def read_and_prepare(planned: PlannedCase, options: PreprocessOptions) -> ReadCase:
    """Reads a case, brings it onto the record grid and chooses its slices.

    Args:
      planned: the case.
      options: geometry, intensities and what to do about NIfTI files that do not say how they lie.

    Raises:
      InputError: the case cannot be read, its anatomy is wrong, or no slice is left.
    """
    files = planned.files
    volume = read_case(files, options.orientation_policy)
    prepared = prepare(volume, options.prepare, task=options.task)
    if files.is_slice:
        # Its neighbours are not slices of their own: they are the middle ones of other files.
        kept = np.array([len(prepared.images) // 2])
    else:
        kept = choose_slices(prepared.images, prepared.labels, planned.rule, files.path)
    entry = ManifestCase(
        case=files.case,
        patient=files.patient,
        domain=files.domain,
        dataset=files.dataset,
        split=planned.split,
        labelled=prepared.labels is not None,
        slices=len(kept),
        slice_count=len(prepared.images),
        uses_labels_for_selection=planned.rule == "organs",
        sha256=input_digest(volume),
        shard=planned.shard,
        geometry=prepared.geometry,
    )
    return ReadCase(prepared, kept, entry, tuple(volume_warnings(volume)))


def slice_records(prepared: PreparedCase, kept: np.ndarray, entry: ManifestCase) -> Iterator[SliceRecord]:
    """Yields the kept slices of a prepared case, from inferior to superior, with neighbours out of the whole of it."""
    neighbours = prepared.geometry.neighbours
    for index in kept:
        yield SliceRecord(
            image=stack_neighbours(prepared.images, int(index), neighbours) if neighbours else prepared.images[index],
            label=None if prepared.labels is None else prepared.labels[index],
            case=entry.case,
            domain=entry.domain,
            split=entry.split,
            slice_index=int(index),
            slice_count=entry.slice_count,
            geometry=entry.geometry,
        )
