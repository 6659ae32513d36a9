"""Ranks, splits and shards, decided before any worker starts."""

import dataclasses

import apache_beam as beam
import hypothesis
import hypothesis.strategies as st
import pytest

from attent_tf.datasets import CaseFiles, load_description
from attent_tf.errors import ConfigError, InputError
from attent_tf.shared_folders import LocalFolder
from beam_preprocess import PreprocessOptions
from beam_preprocess.plan import plan_cases
from beam_preprocess.plan_files import ReadPlan, spread_cases, write_plan
from tests.support.abdomen import ABDOMEN
from tests.support.jobs import abdomen_options


def _case(name: str, domain: str = "mri", labelled: bool = True) -> CaseFiles:
    description = load_description(
        "chaos" if name.startswith("chaos") else "malbcv" if name.startswith("malbcv") else "nifti"
    )
    return CaseFiles(
        name, name, ABDOMEN, domain, description, (f"{domain}/{name}",), (f"labels/{name}",) if labelled else ()
    )


def _many(count: int) -> list[CaseFiles]:
    case = _case("chaos-1")
    return [dataclasses.replace(case, case=f"chaos-{number}", patient=f"chaos-{number}") for number in range(count)]


def _options(**changes) -> PreprocessOptions:
    return abdomen_options(**{"out": "records", "mri": "mri", "split": "ratio"} | changes)


counts = st.tuples(st.integers(0, 12), st.integers(0, 12)).filter(any)


@pytest.mark.slow
@hypothesis.given(counts, st.integers(1, 24), st.randoms(), st.integers(0, 9))
def test_shards_are_balanced_runs_of_the_ranking_in_any_order(numbers, shards, random, seed):
    cases = [_case(f"m-{i}") for i in range(numbers[0])] + [_case(f"c-{i}", "ct") for i in range(numbers[1])]
    shards = min(shards, len(cases))
    options = _options(shards=shards, seed=seed)
    planned = plan_cases(cases, options)
    random.shuffle(cases)
    assert plan_cases(cases, options) == planned
    assert [case.position for case in planned] == list(range(len(cases)))
    names = [case.shard for case in planned]
    assert names == sorted(names)
    sizes = [names.count(name) for name in dict.fromkeys(names)]
    assert len(sizes) == shards
    assert max(sizes) - min(sizes) <= 1
    groups = [(case.files.domain, case.split) for case in planned]
    assert groups == sorted(groups)


def test_ranking_counts_as_people_do():
    planned = plan_cases([_case(f"chaos-{i}") for i in (10, 2, 1, 20)], _options(split="none"))
    assert [case.files.case for case in planned] == ["chaos-1", "chaos-2", "chaos-10", "chaos-20"]


def test_eight_shards_by_default():
    assert len({case.shard for case in plan_cases([_case(f"m-{i}") for i in range(50)], _options())}) == 8
    assert {case.shard for case in plan_cases([_case("m-1"), _case("m-2")], _options())} == {
        "slices-00000-of-00002.tfrecord",
        "slices-00001-of-00002.tfrecord",
    }


def test_more_shards_than_cases_are_refused():
    with pytest.raises(ConfigError, match=r"--shards: expected at most 1,.* found 2"):
        plan_cases([_case("m-1")], _options(shards=2))


def test_one_identifier_twice_is_refused():
    with pytest.raises(InputError, match=r"nifti-a: .*mri/nifti-a \(mri\) and ct/nifti-a \(ct\)"):
        plan_cases([_case("nifti-a"), _case("nifti-a", "ct")], _options())


def test_patient_numbers_may_be_shared_between_data_sets():
    assert len(plan_cases([_case("chaos-1"), _case("malbcv-0001", "ct")], _options())) == 2


@pytest.mark.parametrize("rule", ["body", "organs", "all"])
def test_rule_is_for_training_cases(rule):
    for case in plan_cases([_case(f"m-{i}") for i in range(10)], _options(slices=rule)):
        assert case.rule == (rule if case.split == "train" else "all")
    for case in plan_cases([_case(f"m-{i}") for i in range(10)], _options(slices=rule, split="none")):
        assert case.rule == "all"


def test_organs_needs_labels_before_anything_is_read():
    with pytest.raises(InputError, match=r"m-\d.*: expected labels, for --slices organs, found none"):
        plan_cases([_case(f"m-{i}", labelled=False) for i in range(5)], _options(slices="organs"))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"mri": None}, r"--domain \(or --mri, --ct\): expected at least one data folder"),
        ({"on_error": "pass"}, "--on-error: expected one of fail, skip, found 'pass'"),
        ({"split": "file"}, "--split file, --split-file: expected both"),
        ({"split_file": "mine.yaml"}, "--split file, --split-file: expected both"),
        ({"split": "random"}, "--split: .*sifa, ratio, file, none, found 'random'"),
        ({"slices": "few"}, "--slices: .*found 'few'"),
        ({"shards": 0}, "--shards: expected 1 or more, found 0"),
    ],
)
def test_options_are_checked(change, found):
    with pytest.raises((InputError, ConfigError), match=found):
        _options(**change).check()


def test_a_job_is_described_in_few_bytes_however_many_cases_it_has(tmp_path):
    """With the cases in the description a plan of a hundred thousand would take gigabytes and minutes."""
    plan = plan_cases(_many(2000), _options(split="none"))
    pipeline = beam.Pipeline(runner="FnApiRunner")
    spread_cases(pipeline, plan, LocalFolder(tmp_path))
    assert pipeline.to_runner_api().ByteSize() < 100_000


def test_workers_get_the_cases_that_were_planned(tmp_path):
    work = LocalFolder(tmp_path)
    plan = plan_cases(_many(1201), _options(split="none"))
    names = list(write_plan(work, iter(plan), "plan"))
    assert len(names) > 1
    assert [case for name in names for case in ReadPlan(work).process(name)] == plan
    assert list(write_plan(work, [], "none")) == []
