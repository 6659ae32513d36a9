"""Splits: the published lists, and what any split must keep."""

import dataclasses
import re

import hypothesis
import hypothesis.strategies as st
import pytest

from attent_tf.data.split_file import read_split_file
from attent_tf.data.splits import assign_splits, parted_patients
from attent_tf.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class Case:
    case: str
    domain: str
    dataset: str
    scan_of: str | None = None
    is_slice: bool = False

    @property
    def patient(self) -> str:
        return self.scan_of or self.case


MR = (1, 2, 3, 5, 8, 10, 13, 15, 19, 20, 21, 22, 31, 32, 33, 34, 36, 37, 38, 39)
CT = (*range(1, 11), *range(21, 41))
CHAOS = [Case(f"chaos-{number}", "mri", "chaos") for number in MR]
MALBCV = [Case(f"malbcv-{number:04d}", "ct", "malbcv") for number in CT]

case_lists = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(
    lambda counts: (
        [Case(f"m-{i}", "mri", "nifti") for i in range(counts[0])]
        + [Case(f"c-{i}", "ct", "nifti") for i in range(counts[1])]
    )
)


def _line(text):
    """A pattern of this message and no other."""
    return f"^{re.escape(text)}$"


def _tests(splits, prefix=""):
    return {case for case, split in splits.items() if split == "test" and case.startswith(prefix)}


def test_sifa_is_the_published_list():
    splits = assign_splits(CHAOS + MALBCV, "sifa")
    assert _tests(splits, "chaos") == {"chaos-1", "chaos-13", "chaos-32", "chaos-38"}
    assert _tests(splits, "malbcv") == {f"malbcv-{number:04d}" for number in (1, 9, 30, 32, 33, 39)}
    assert sum(split == "train" for split in splits.values()) == 16 + 24


def test_sifa_takes_part_of_the_data():
    assert assign_splits(CHAOS[:2], "sifa") == {"chaos-1": "test", "chaos-2": "train"}


@pytest.mark.parametrize(
    ("cases", "found"),
    [
        (CHAOS[:1] + MALBCV, "of 1 mri case all are test cases, none is left to train"),
        (CHAOS + MALBCV[1:3], "none of its test cases is among the 2 ct cases"),
        ([Case("nifti-a", "ct", "nifti")], "it is published for chaos and malbcv only, the ct data are 'nifti'"),
    ],
)
def test_sifa_refuses_what_it_does_not_fit(cases, found):
    with pytest.raises(ConfigError, match=_line(f"--split sifa: {found}; use --split ratio")):
        assign_splits(cases, "sifa")


def test_ratio_of_the_papers_data_is_four_to_one():
    splits = assign_splits(CHAOS + MALBCV, "ratio")
    assert len(_tests(splits, "chaos")) == 4
    assert len(_tests(splits, "malbcv")) == 6


def test_ratio_draws_from_seed_0_unless_told_otherwise():
    assert assign_splits(MALBCV, "ratio") == assign_splits(MALBCV, "ratio", 0) != assign_splits(MALBCV, "ratio", 1)


def test_ratio_depends_on_the_seed():
    assert len({frozenset(_tests(assign_splits(MALBCV, "ratio", seed))) for seed in range(10)}) > 5


def test_ratio_spreads_evenly_over_seeds():
    counts = dict.fromkeys((case.case for case in CHAOS), 0)
    for seed in range(500):
        for case in _tests(assign_splits(CHAOS, "ratio", seed)):
            counts[case] += 1
    # 500 draws of 4 out of 20: mean 100, standard deviation 9.
    assert all(60 < count < 140 for count in counts.values())


@hypothesis.given(case_lists, st.sampled_from(["ratio", "none"]), st.integers(0, 2**40), st.randoms())
def test_order_and_other_domains_do_not_matter(cases, rule, seed, random):
    shuffled = list(cases)
    random.shuffle(shuffled)
    splits = assign_splits(cases, rule, seed)
    assert assign_splits(shuffled, rule, seed) == splits
    assert splits.keys() == {case.case for case in cases}
    alone = assign_splits([case for case in cases if case.domain == "ct"], rule, seed)
    assert alone.items() <= splits.items()


@hypothesis.given(case_lists, st.integers())
def test_ratio_tests_something_and_trains_more(cases, seed):
    splits = assign_splits(cases, "ratio", seed)
    for prefix in ("m-", "c-"):
        count = sum(case.case.startswith(prefix) for case in cases)
        tests = len(_tests(splits, prefix))
        assert tests == 0 if count < 2 else 1 <= tests <= count / 2
        assert abs(tests - count / 5) <= 1


def test_none_puts_every_case_into_all():
    assert set(assign_splits(CHAOS + MALBCV, "none").values()) == {"all"}


def test_unknown_rule_is_named():
    with pytest.raises(ConfigError, match=_line("--split: expected one of sifa, ratio, file, none, found 'random'")):
        assign_splits(CHAOS, "random")


def _scans(domain, *patients):
    """Two scans of each patient."""
    return [Case(f"{patient}-{scan}", domain, "hospital", patient) for patient in patients for scan in "ab"]


@hypothesis.given(st.integers(2, 30), st.integers(0, 2**40))
def test_ratio_keeps_the_scans_of_a_patient_together(count, seed):
    cases = _scans("ct", *(f"p{i}" for i in range(count)))
    splits = assign_splits(cases, "ratio", seed)
    assert not parted_patients(cases, splits)
    assert abs(len(_tests(splits)) / 2 - count / 5) <= 1


def test_sifa_goes_by_patient_in_every_sequence_of_chaos():
    cases = [Case(f"chaos-t1-in-{number}", "mri", "chaos-t1-in", f"chaos-{number}") for number in MR]
    assert _tests(assign_splits(cases, "sifa")) == {f"chaos-t1-in-{number}" for number in (1, 13, 32, 38)}


def test_a_list_of_test_cases_leaves_the_rest_to_train():
    splits = assign_splits(CHAOS[:4], "file", listed={"chaos-2": "test"})
    assert splits == {"chaos-1": "train", "chaos-2": "test", "chaos-3": "train", "chaos-5": "train"}


def test_a_list_may_name_patients():
    splits = assign_splits(_scans("ct", "p", "q"), "file", listed={"p": "test"})
    assert splits == {"p-a": "test", "p-b": "test", "q-a": "train", "q-b": "train"}


_PARTED = "patient p would be in two splits (p-a: test, p-b: train); put all scans of a patient into one"


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ({"p-a": "test", "p-b": "train", "q": "train"}, _PARTED),
        ({"p-a": "test"}, _PARTED),
        ({"p": "test", "p-a": "train", "q": "train"}, "p-a is listed as test and train; keep one"),
        (
            {"p": "test", "q-a": "train"},
            "q-b is not in the list; add it, or leave `train` out so that the rest trains",
        ),
        ({"p": "test", "r": "test"}, "r is in the list and not among the 4 cases; correct the list"),
    ],
)
def test_lists_that_leak_or_do_not_fit_are_refused(listed, found):
    with pytest.raises(ConfigError, match=_line(f"--split file: {found}")):
        assign_splits(_scans("ct", "p", "q"), "file", listed=listed)


def test_split_file_is_read(tmp_path):
    path = tmp_path / "split.yaml"
    path.write_text("test: [chaos-1, malbcv-0009]\ntrain:\n- chaos-2\n")
    assert read_split_file(path) == {"chaos-1": "test", "malbcv-0009": "test", "chaos-2": "train"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("train: [a]", "expected the keys test; test is missing"),
        ("test: [a]\nvalidation: [b]", "unknown key 'validation'; known keys: test, train"),
        ("- a", r"expected the keys test, train, found \['a'\]"),
        ("", "expected the keys test, train, found None"),
        ("test: [1, 13]", "test: entry 0: expected text, in quotation marks where it looks otherwise, found 1"),
        ("test: a", "test: expected a list, found 'a'"),
        ("test: [a]\ntrain: [a]", r"a is listed twice \(test, train\)"),
        ("test: [a", "not valid YAML"),
    ],
)
def test_wrong_split_files_are_refused(tmp_path, text, found):
    path = tmp_path / "split.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=rf"split\.yaml: .*{found}"):
        read_split_file(path)


def test_a_missing_split_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: expected a split file, No such file"):
        read_split_file(tmp_path / "none.yaml")


SLICES = [Case(f"sifa-ct-slice{i}", "ct", "sifa-ct", "sifa-ct-unknown", True) for i in range(8)]
VOLUMES = [Case(f"sifa-ct-{number}", "ct", "sifa-ct") for number in (1003, 1008)]


def test_slices_without_a_patient_never_test():
    assert _tests(assign_splits(SLICES + VOLUMES + CHAOS, "sifa"), "sifa") == {"sifa-ct-1003", "sifa-ct-1008"}
    assert set(assign_splits(SLICES, "sifa").values()) == {"train"}
    own = [dataclasses.replace(case, dataset="own") for case in SLICES + VOLUMES]
    assert _tests(assign_splits(own, "sifa")) == {"sifa-ct-1003", "sifa-ct-1008"}
    assert set(assign_splits(VOLUMES, "sifa").values()) == {"test"}
    both = assign_splits(SLICES + VOLUMES, "none")
    assert {both[case.case] for case in SLICES} == {"train"}
    assert {both[case.case] for case in VOLUMES} == {"all"}
    found = "--split ratio: nobody knows the patients of ct slices; use --split sifa"
    with pytest.raises(ConfigError, match=_line(found)):
        assign_splits(SLICES + VOLUMES, "ratio")


def test_a_list_cannot_make_slices_test():
    listed = {"sifa-ct-1003": "test"}
    assert _tests(assign_splits(SLICES + VOLUMES, "file", listed=listed)) == {"sifa-ct-1003"}
    found = "--split file: sifa-ct-slice0 is one slice, of no volume that could be scored; let it train"
    with pytest.raises(ConfigError, match=_line(found)):
        assign_splits(SLICES + VOLUMES, "file", listed={"sifa-ct-unknown": "test"})
