"""A task is data: its classes, domains, directions and rules of anatomy."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attent_tf.errors import ConfigError
from attent_tf.tasks import (
    DEFAULT_RULES,
    KINDS,
    SHIPPED_TASKS,
    IntensityRule,
    load_task,
    task_from_mapping,
    task_to_mapping,
)

SMALL = {"name": "tumour", "structures": ["tumour", "cochlea"], "domains": {"t1": "mri", "t2": "mri"}}


def changed(**changes):
    return {**SMALL, **changes}


def test_the_task_of_the_paper():
    task = load_task()
    assert task.class_names == ("background", "liver", "right_kidney", "left_kidney", "spleen")
    assert task.num_classes == 5
    assert task.class_weights == (1, 1, 10, 10, 1)
    assert task.domain_names == ("mri", "ct")
    assert task.directions == ("mri2ct", "ct2mri")
    assert task.domain("ct").intensity == IntensityRule("window", -160.0, 240.0)
    assert task.domain("mri").intensity == IntensityRule("percentile", 0.5, 99.0, low_of="volume", high_of="body")


def test_the_least_that_makes_a_task_has_sensible_rest():
    task = task_from_mapping(SMALL, "small")
    assert task.class_names == ("background", "tumour", "cochlea")
    assert task.titles == {"tumour": "Tumour", "cochlea": "Cochlea"}
    assert task.scored_names == ("tumour", "cochlea")
    assert len(set(task.colours.values())) == 2
    assert task.domain("t1").intensity == DEFAULT_RULES["mri"]
    assert task.domain("t2").title == "T2"
    assert task.anatomy == ()
    assert task.class_weights == (1, 1, 1)
    assert all(structure.largest_ml == math.inf for structure in task.structures)


@pytest.mark.parametrize("name", SHIPPED_TASKS)
def test_shipped_tasks_come_back_from_their_json(name):
    task = load_task(name)
    assert task.name == name
    assert task_from_mapping(task_to_mapping(task), "again") == task


_TITLES = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)
_STRUCTURES = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9_]{0,7}", fullmatch=True).filter(
        lambda name: name not in ("body", "bone", "background")
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "title": _TITLES,
            "scored": st.just(True),
            "side": st.sampled_from(["left", "right", ""]),
            "weight": st.floats(0, 1e6),
            "largest_ml": st.floats(1e-3, 1e6),
        },
    ),
    min_size=1,
    max_size=20,
)
_DOMAINS = st.dictionaries(
    st.from_regex(r"[A-Za-z][A-Za-z0-1]{0,4}", fullmatch=True),
    st.fixed_dictionaries({"kind": st.sampled_from(KINDS)}, optional={"title": _TITLES}),
    min_size=2,
    max_size=4,
)


@given(structures=_STRUCTURES, domains=_DOMAINS)
def test_any_task_comes_back_from_its_json(structures, domains):
    task = task_from_mapping({"name": "any", "structures": structures, "domains": domains}, "any")
    assert task_from_mapping(task_to_mapping(task), "again") == task
    assert task.num_classes == len(structures) + 1
    assert {task.source_and_target(direction) for direction in task.directions} == {
        (source, target) for source in domains for target in domains if source != target
    }


def test_directions_name_source_and_target_whatever_digits_the_names_have():
    task = task_from_mapping(SMALL, "small")
    assert task.source_and_target("t12t2") == ("t1", "t2")
    assert task.source_and_target("t22t1") == ("t2", "t1")
    with pytest.raises(ConfigError, match=r"unknown direction 't1t2': expected one of t12t2, t22t1"):
        task.source_and_target("t1t2")


def test_names_that_make_a_direction_ambiguous_are_refused():
    # a2b2c would be a → b2c as well as a2b → c.
    with pytest.raises(ConfigError, match="domains: expected names that make different directions"):
        task_from_mapping(changed(domains={"a": "mri", "b2c": "mri", "a2b": "mri", "c": "ct"}), "small")


def test_structures_that_are_not_scored_are_classes_all_the_same():
    task = task_from_mapping(changed(structures={"tumour": {}, "cochlea": {"scored": False}}), "small")
    assert task.num_classes == 3
    assert task.scored_names == ("tumour",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], r"small: expected keys such as name, structures, domains, found \[\]"),
        (changed(struktures=[]), "small: unknown key 'struktures'; did you mean 'structures'"),
        (
            {"name": "a", "domains": {}},
            "small: expected the keys name, structures, domains; structures is missing",
        ),
        (changed(name="Two Words"), "small: name: expected small letters, digits and _, found 'Two Words'"),
        (changed(structures=[]), "small: structures: expected names, or a mapping by name"),
        (changed(structures=["a", "a"]), None),
        (changed(structures=["background"]), "structures: background: expected a name of .*found 'background'"),
        (changed(structures=["body"]), "structures: body: expected a name of .*found 'body'"),
        (changed(structures=[1, 2]), "structures: expected names, or a mapping by name"),
        (changed(structures={"a": {"scored": False}}), "expected one or more that are scored"),
        (changed(structures={"a": {"scored": "no"}}), "structures: a: scored: expected true or false, found 'no'"),
        (changed(structures={"a": {"colour": "red"}}), "structures: a: colour: expected #rrggbb"),
        (
            changed(structures={"a": {"snomed": "123"}}),
            "structures: a: expected snomed, a code of digits, and its meaning",
        ),
        (changed(structures={"a": {"side": "middle"}}), "structures: a: side: expected one of left, right"),
        (changed(structures={"a": {"largest_ml": 0}}), "largest_ml: expected a volume above 0 ml"),
        (changed(structures=[f"s{i}" for i in range(255)]), "expected from 1 to 254 of them, found 255"),
        (changed(structures={"a": {"name": "b"}}), "structures: a: unknown key 'name'"),
        (changed(structures={"a": 3}), "structures: a: expected keys such as name, title, colour, found 3"),
        (changed(domains={"t1": {"title": "T1"}, "t2": "mri"}), "domains: t1: kind: expected one of mri, ct, other"),
        (
            changed(domains={"t1": {"kind": "mri", "intensity": 3}, "t2": "mri"}),
            "intensity: expected an intensity rule as",
        ),
        (changed(domains={"t1": "mri"}), "domains: expected two or more, found 1"),
        (
            changed(domains={"t1": "mr", "t2": "mri"}),
            "domains: t1: kind: expected one of mri, ct, other, found 'mr'",
        ),
        (
            changed(domains={"t-1": "mri", "t2": "mri"}),
            "domains: t-1: expected a name of letters and digits, found 't-1'",
        ),
        (
            changed(domains={"t1": {"kind": "mri", "intensity": "w:1:2"}, "t2": "mri"}),
            "domains: t1: intensity: intensity rule: expected window",
        ),
        (
            changed(anatomy=[{"structure": "tumor", "lies": "behind", "of": "body"}]),
            "no structure of the task; did you mean",
        ),
        (
            changed(anatomy=[{"structure": "tumour", "lies": "under", "of": "body"}]),
            "anatomy: entry 0: lies: expected one of right_of",
        ),
        (
            changed(anatomy=[{"structure": "tumour", "lies": "below", "of": []}]),
            "tumour: of: expected structures or body",
        ),
        (
            changed(anatomy=[{"structure": "tumour", "of": "body"}]),
            "anatomy: entry 0: expected the keys structure, lies, of; lies is missing",
        ),
    ],
)
def test_faults_are_one_line_that_names_the_key(content, message):
    if message is None:
        # A list that names a structure twice cannot become a mapping without losing one.
        message = "structures: expected names that differ"
    with pytest.raises(ConfigError, match=message) as caught:
        task_from_mapping(content, "small")
    assert "\n" not in str(caught.value)


def test_a_task_from_a_file_and_the_ways_to_miss_it(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("name: own\nstructures: [bright, dark]\ndomains: {one: other, two: other}\n")
    assert load_task(path).class_names == ("background", "bright", "dark")
    with pytest.raises(
        ConfigError, match=r"task 'abdomn': expected one of abdomen, cardiac, shapes, or a .yaml file; did you mean"
    ):
        load_task("abdomn")
    with pytest.raises(ConfigError, match=r"none\.yaml"):
        load_task(tmp_path / "none.yaml")


def test_a_domain_that_the_task_lacks():
    with pytest.raises(ConfigError, match=r"task abdomen has no domain 'mr'; it has mri, ct; did you mean 'mri'"):
        load_task().domain("mr")


def test_tasks_are_values():
    assert load_task("abdomen") == load_task("abdomen") != load_task("cardiac")
    assert len({load_task("abdomen"), dataclasses.replace(load_task("abdomen"))}) == 1
