"""Which cases train and which test, always by patient and never by slice.

`sifa` is the split of the field's benchmark (Chen et al., SIFA), `ratio` the paper's 4:1 (Section IV-A), drawn from
a seed, `file` a list of the user's own. Of SIFA's own data the single slices train and the volumes test.
A slice whose patient nobody knows never tests: it makes no volume.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol, get_args

from attent_tf.choices import SPLIT_RULES
from attent_tf.counting import counted
from attent_tf.errors import ConfigError

Split = Literal["train", "test", "all"]
TRAIN, TEST, ALL = SPLITS = get_args(Split)

# Patients that SIFA's author published as the test set.
SIFA_TEST_PATIENTS = frozenset(
    [f"chaos-{number}" for number in (1, 13, 32, 38)] + [f"malbcv-{number:04d}" for number in (1, 9, 30, 32, 33, 39)]
)
_SIFA_DATASETS = ("chaos", "malbcv")
_SIFAS_OWN = "sifa-"
_PATIENTS_PER_TEST_PATIENT = 5


class Case(Protocol):
    """What a split looks at, such as `CaseFiles`."""

    @property
    def case(self) -> str: ...
    @property
    def patient(self) -> str: ...
    @property
    def domain(self) -> str: ...
    @property
    def dataset(self) -> str: ...
    @property
    def is_slice(self) -> bool: ...


def assign_splits(
    cases: Iterable[Case], rule: str, seed: int = 0, listed: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Says for each case whether it trains or tests. All cases of a patient share a split, whatever order cases come in.

    Args:
      cases: every case of every domain, each identifier once.
      rule: `sifa`, `ratio` (by domain), `file`, or `none` (every case is in the split `all`, which trains and tests).
      seed: what `ratio` draws from; the other rules ignore it.
      listed: for `file`: case or patient identifier to `train` or `test`, from `read_split_file`.

    Returns:
      case identifier to `train`, `test` or `all`.

    Raises:
      ConfigError: the rule is not known or does not fit these cases, or a patient would be in two splits.
    """
    if rule not in SPLIT_RULES:
        raise ConfigError(f"--split: expected one of {', '.join(SPLIT_RULES)}, found {rule!r}")
    cases = sorted(cases, key=lambda case: case.case)
    if rule == "none":
        return {case.case: TRAIN if case.is_slice else ALL for case in cases}
    if rule == "file":
        splits = _listed_splits(cases, listed or {})
        for case in cases:
            if case.is_slice and splits[case.case] == TEST:
                raise ConfigError(
                    f"--split file: {case.case} is one slice, of no volume that could be scored; let it train"
                )
    else:
        splits = {}
        for domain in sorted({case.domain for case in cases}):
            members = [case for case in cases if case.domain == domain]
            tests = _sifa_tests(domain, members) if rule == "sifa" else _ratio_tests(domain, members, seed)
            splits.update({case.case: TEST if case.patient in tests else TRAIN for case in members})
    for patient, placed in parted_patients(cases, splits):
        raise ConfigError(
            f"--split {rule}: patient {patient} would be in two splits ({placed}); put all scans of a patient into one"
        )
    return splits


def parted_patients(cases: Iterable[Case], splits: Mapping[str, str]) -> list[tuple[str, str]]:
    """Finds patients with cases in more than one split.

    Args:
      cases: any cases.
      splits: case identifier to split.

    Returns:
      (patient, its cases and their splits as text), in order of patients.
    """
    members: dict[str, list[str]] = {}
    for case in cases:
        members.setdefault(case.patient, []).append(case.case)
    return [
        (patient, ", ".join(f"{name}: {splits[name]}" for name in sorted(names)))
        for patient, names in sorted(members.items())
        if len({splits[name] for name in names}) > 1
    ]


def _sifa_tests(domain: str, members: Sequence[Case]) -> set[str]:
    """Returns the published test patients among those of one domain."""
    advice = "use --split ratio"
    if any(case.is_slice for case in members) or all(case.dataset.startswith(_SIFAS_OWN) for case in members):
        return {case.patient for case in members if not case.is_slice}
    for dataset in sorted({case.dataset for case in members}):
        # The other sequences of CHAOS show the same patients.
        if not any(dataset == known or dataset.startswith(f"{known}-") for known in _SIFA_DATASETS):
            known = " and ".join(_SIFA_DATASETS)
            raise ConfigError(
                f"--split sifa: it is published for {known} only, the {domain} data are {dataset!r}; {advice}"
            )
    patients = {case.patient for case in members}
    tests = patients & SIFA_TEST_PATIENTS
    count = counted(len(members), f"{domain} case")
    if not tests:
        raise ConfigError(f"--split sifa: none of its test cases is among the {count}; {advice}")
    if tests == patients:
        raise ConfigError(f"--split sifa: of {count} all are test cases, none is left to train; {advice}")
    return tests


def _ratio_tests(domain: str, members: Sequence[Case], seed: int) -> set[str]:
    """Returns every fifth patient (rounded, at least one of two or more) in an order that seed and names decide."""
    if any(case.is_slice for case in members):
        raise ConfigError(f"--split ratio: nobody knows the patients of {domain} slices; use --split sifa")
    patients = sorted({case.patient for case in members})
    if len(patients) < 2:
        return set()
    ranked = sorted(patients, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
    return set(ranked[: max(1, round(len(patients) / _PATIENTS_PER_TEST_PATIENT))])


def _listed_splits(cases: Sequence[Case], listed: Mapping[str, str]) -> dict[str, str]:
    """Applies a list; where it names no training cases, whatever it does not name trains."""
    known = {name for case in cases for name in (case.case, case.patient)}
    for name in sorted(listed.keys() - known):
        raise ConfigError(
            f"--split file: {name} is in the list and not among the {counted(len(cases), 'case')}; correct the list"
        )
    splits = {}
    for case in cases:
        chosen = {listed[name] for name in (case.case, case.patient) if name in listed}
        if len(chosen) > 1:
            raise ConfigError(f"--split file: {case.case} is listed as {' and '.join(sorted(chosen))}; keep one")
        if not chosen and TRAIN in listed.values():
            raise ConfigError(
                f"--split file: {case.case} is not in the list; add it, or leave `train` out so that the rest trains"
            )
        splits[case.case] = chosen.pop() if chosen else TRAIN
    return splits
