"""Which case goes into which split and shard: pure functions, decided before any worker starts."""

import dataclasses
from collections.abc import Mapping, Sequence

from attent_tf.data.manifest import shard_name
from attent_tf.data.splits import TRAIN, assign_splits
from attent_tf.datasets import CaseFiles
from attent_tf.datasets.cases import natural_key
from attent_tf.datasets.check import find_repeated_names
from attent_tf.errors import ConfigError, InputError
from beam_preprocess.options import PreprocessOptions

_MOST_SHARDS_BY_DEFAULT = 8


@dataclasses.dataclass(frozen=True)
class PlannedCase:
    """A case and its place in the records folder; small enough to be an element of a distributed collection.

    Attributes:
      files: what to read.
      split: `train`, `test` or `all`.
      rule: which slices to keep.
      position: rank in the manifest; records are ordered by it.
      shard: file that gets all of its records.
    """

    files: CaseFiles
    split: str
    rule: str
    position: int
    shard: str


def plan_cases(
    cases: Sequence[CaseFiles], options: PreprocessOptions, listed: Mapping[str, str] | None = None
) -> list[PlannedCase]:
    """Gives each case its split, rank and shard, whatever order the cases come in.

    Cases are ranked by domain, split and natural order of their identifiers, and the ranking is cut into runs of equal
    length (up to one), one for each shard. So most shards hold one domain and split, and readers open few in vain.

    Args:
      cases: all cases of all domains.
      options: split rule and seed, slice rule, number of shards.
      listed: the user's split, for the rule `file`.

    Returns:
      The cases by rank.

    Raises:
      InputError: an identifier occurs twice, or the rule `organs` meets training cases without labels or of one slice.
      ConfigError: the split rule does not fit the cases, or there are more shards than cases.
    """
    for repeated in find_repeated_names(cases):
        raise InputError(*dataclasses.astuple(repeated.problem))
    splits = assign_splits(cases, options.split, options.seed, listed)
    count = min(_MOST_SHARDS_BY_DEFAULT, len(cases)) if options.shards is None else options.shards
    if count > len(cases):
        raise ConfigError(
            f"--shards: expected at most {len(cases)}, because a case lies in one shard only, found {count}"
        )
    ranked = sorted(cases, key=lambda case: (case.domain, splits[case.case], natural_key(case.case)))
    planned = []
    for position, case in enumerate(ranked):
        split = splits[case.case]
        rule = options.slices if split == TRAIN else "all"
        if rule == "organs" and case.is_slice:
            raise InputError(case.path, "whole scans, for --slices organs", "one slice", "use --slices body")
        if rule == "organs" and not case.labels:
            raise InputError(case.path, "labels, for --slices organs", "none", "use --slices body")
        planned.append(PlannedCase(case, split, rule, position, shard_name(position * count // len(ranked), count)))
    return planned
