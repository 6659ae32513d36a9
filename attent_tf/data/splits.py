"""Which cases train and which test, always by patient and never by slice.

`sifa` is the split of the field's benchmark (Chen et al., SIFA), `ratio` the paper's 4:1 (Section IV-A), drawn from
a seed.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol

from attent_tf.errors import ConfigError

TRAIN, TEST, ALL = "train", "test", "all"
SPLITS = (TRAIN, TEST, ALL)
RULES = ("sifa", "ratio", "none")

# Patient numbers that SIFA's author published as its test set.
SIFA_TEST_CASES = {
    "chaos": frozenset(f"chaos-{number}" for number in (1, 13, 32, 38)),
    "malbcv": frozenset(f"malbcv-{number:04d}" for number in (1, 9, 30, 32, 33, 39)),
}
_CASES_PER_TEST_CASE = 5


class Case(Protocol):
    """What a split looks at; `attent_tf.volumes.CaseFiles` is one."""

    case: str
    domain: str
    dataset: str


def assign_splits(cases: Iterable[Case], rule: str, seed: int = 0) -> dict[str, str]:
    """Says for each case whether it trains or tests. Each domain is split on its own, whatever order cases come in.

    Args:
      cases: every case of every domain, each identifier once.
      rule: `sifa`, `ratio`, or `none` (every case is in the split `all`, which trains and tests).
      seed: what `ratio` draws from; the other rules ignore it.

    Returns:
      case identifier to `train`, `test` or `all`.

    Raises:
      ConfigError: the rule is not known, or `sifa` does not fit these cases.
    """
    if rule not in RULES:
        raise ConfigError(f"--split: expected one of {', '.join(RULES)}; received {rule!r}")
    domains: dict[str, list[Case]] = {}
    for case in cases:
        domains.setdefault(case.domain, []).append(case)
    splits = {}
    for domain, members in sorted(domains.items()):
        names = sorted(case.case for case in members)
        if rule == "none":
            splits.update(dict.fromkeys(names, ALL))
            continue
        tests = _sifa_tests(domain, members) if rule == "sifa" else _ratio_tests(names, seed)
        splits.update({name: TEST if name in tests else TRAIN for name in names})
    return splits


def _sifa_tests(domain: str, members: Sequence[Case]) -> set[str]:
    """Returns the published test cases among the cases of one domain."""
    advice = "use --split ratio"
    published: set[str] = set()
    for dataset in sorted({case.dataset for case in members}):
        if dataset not in SIFA_TEST_CASES:
            known = " and ".join(sorted(SIFA_TEST_CASES))
            raise ConfigError(
                f"--split sifa: it is published for {known} only, the {domain} data are {dataset!r}; {advice}"
            )
        published |= SIFA_TEST_CASES[dataset]
    names = {case.case for case in members}
    tests = names & published
    if not tests:
        raise ConfigError(f"--split sifa: none of its test cases is among the {len(names)} {domain} cases; {advice}")
    if tests == names:
        raise ConfigError(
            f"--split sifa: all {len(names)} {domain} cases are test cases, none is left to train; {advice}"
        )
    return tests


def _ratio_tests(names: Sequence[str], seed: int) -> set[str]:
    """Returns every fifth case (rounded, at least one of two or more) in an order that only seed and names decide."""
    if len(names) < 2:
        return set()
    ranked = sorted(names, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
    return set(ranked[: max(1, round(len(names) / _CASES_PER_TEST_CASE))])
