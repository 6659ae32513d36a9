"""Dataclasses from plain values: what fits becomes typed, what does not is told in one line with its key."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict

import pytest

from attent_tf.errors import ConfigError, RecordsError
from attent_tf.plain_values import (
    BY_NAME,
    MAY_LACK,
    NOT_WRITTEN,
    ONE_OR_MORE,
    Check,
    MisfitError,
    StrictReader,
    Text,
    json_number,
)

Share = Annotated[float, Check("0 to 1", lambda value: 0 <= value <= 1)]


@dataclasses.dataclass(frozen=True)
class Inner:
    low: float
    high: float | None = None

    def __post_init__(self):
        if self.high is not None and self.high < self.low:
            raise ConfigError(f"expected low below high, found {self.low} and {self.high}")


class About(TypedDict, total=False):
    count: int


@dataclasses.dataclass(frozen=True)
class Noted:
    about: About


@dataclasses.dataclass(frozen=True)
class Outer:
    count: int
    share: Share = 1.0
    kind: Literal["one", "other"] = "one"
    edge: Literal[8, 2] = 8
    scored: bool = True
    pair: tuple[int, int] = (1, 2)
    parts: tuple[Inner, ...] = ()
    title: Text = "title"
    by_domain: Mapping[str, Inner] = dataclasses.field(default_factory=dict)
    values: Annotated[tuple[tuple[str, Annotated[tuple[int, ...], ONE_OR_MORE]], ...], BY_NAME] = ()
    rest: dict[str, Any] = dataclasses.field(default_factory=dict)


def _read(content, reader=None, **words):
    return (reader or StrictReader()).read(Outer, content, "file.json", **words)


def test_values_become_what_annotations_say():
    found = _read(
        {
            "count": 3,
            "share": 1,
            "kind": "other",
            "edge": 2,
            "scored": False,
            "pair": [3, 4],
            "parts": [{"low": 1}, {"low": 1, "high": 2.5}],
            "by_domain": {"ct": {"low": -1, "high": None}},
            "values": {"liver": 1, 7: [2, 3]},
            "rest": {"any": [1, {"thing": None}]},
        }
    )
    assert found == Outer(
        3,
        1.0,
        "other",
        2,
        False,
        (3, 4),
        (Inner(1.0), Inner(1.0, 2.5)),
        by_domain={"ct": Inner(-1.0)},
        values=(("liver", (1,)), ("7", (2, 3))),
        rest={"any": [1, {"thing": None}]},
    )
    assert type(found.share) is float


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"cuont": 3}, "unknown key 'cuont'; did you mean 'count'?"),
        (
            {"zzz": 3},
            "unknown key 'zzz'; known keys: count, share, kind, edge, scored, pair, parts, title, by_domain, ",
        ),
        ({"count": True}, "count: expected a whole number, found True"),
        ({"count": 1.0}, "count: expected a whole number, found 1.0"),
        ({"share": "1e-4"}, "share: expected a number, found '1e-4'"),
        ({"share": False}, "share: expected a number, found False"),
        ({"share": 10**400}, "share: expected a number that fits into 64 bits, found 1000"),
        ({"share": 2}, "share: expected 0 to 1, found 2"),
        ({"kind": "twain"}, "kind: expected one of one, other, found 'twain'"),
        ({"edge": 8.0}, "edge: expected one of 2, 8, found 8.0"),
        ({"scored": 1}, "scored: expected true or false, found 1"),
        ({"pair": [1, 2, 3]}, "pair: expected a list of 2, found [1, 2, 3]"),
        ({"pair": [1, None]}, "pair: expected a whole number, found None"),
        ({"parts": "ab"}, "parts: expected a list, found 'ab'"),
        ({"parts": [{"low": 1}, {"low": "a"}]}, "parts: entry 1: low: expected a number, found 'a'"),
        ({"parts": [{"low": 1, "hihg": 3}]}, "parts: entry 0: unknown key 'hihg'; did you mean 'high'?"),
        ({"parts": [3]}, "parts: entry 0: expected the keys low, high, found 3"),
        ({"parts": [{"low": 2, "high": 1}]}, "parts: entry 0: expected low below high, found 2.0 and 1.0"),
        ({"title": "\n"}, "title: expected text, found '\\n'"),
        ({"title": 3}, "title: expected text, found 3"),
        ({"by_domain": {"ct": {}}}, "by_domain: ct: expected the keys low; low is missing"),
        ({"by_domain": ["ct"]}, "by_domain: expected names and their values, found ['ct']"),
        ({"values": {"liver": "q"}}, "values: liver: expected a whole number, found 'q'"),
        ({"values": {"liver": [1, "q"]}}, "values: liver: entry 1: expected a whole number, found 'q'"),
        ({"values": {}}, "values: expected names and their values, found {}"),
        ({"rest": 3}, "rest: expected names and their values, found 3"),
    ],
)
def test_what_does_not_fit_is_one_line_with_its_key(change, line):
    with pytest.raises(ConfigError) as caught:
        _read({"count": 3, **change})
    assert str(caught.value).startswith(f"file.json: {line}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, 3, [], "text"])
def test_what_is_no_mapping_is_told_some_keys(content):
    with pytest.raises(ConfigError, match="expected keys such as count, share, kind, found "):
        _read(content)


def test_a_misspelt_key_comes_before_the_one_that_it_leaves_missing():
    with pytest.raises(ConfigError, match="unknown key 'cuont'"):
        _read({"cuont": 3})
    with pytest.raises(ConfigError, match="expected the keys count; count is missing"):
        _read({})


def test_the_caller_says_which_error_it_is_and_what_to_do():
    with pytest.raises(RecordsError, match=r"^file\.json: count: expected a whole number, found 'x'; write it again$"):
        _read({"count": "x"}, error=RecordsError, advice="write it again")


def test_dotted_keys_stand_as_they_are_written():
    with pytest.raises(ConfigError, match=r"^file\.json: by_domain\.ct\.low: expected a number"):
        _read({"count": 1, "by_domain": {"ct": {"low": "a"}}}, joint=".")
    with pytest.raises(ConfigError, match=r"unknown key 'by_domain\.ct\.lov'; did you mean 'by_domain\.ct\.low'\?"):
        _read({"count": 1, "by_domain": {"ct": {"lov": 1}}}, joint=".")


def test_people_may_write_numbers_as_yaml_takes_for_text():
    by_hand = StrictReader(by_hand=True)
    assert _read({"count": 1, "share": "1e-4"}, by_hand).share == 1e-4
    with pytest.raises(ConfigError, match="share: expected a number, found 'many'"):
        _read({"count": 1, "share": "many"}, by_hand)
    with pytest.raises(
        ConfigError, match="title: expected text, in quotation marks where it looks otherwise, found False"
    ):
        _read({"count": 1, "title": False}, by_hand)


def test_other_keys_are_left_alone_where_that_is_asked_for():
    found = _read({"count": 1, "later": 2, "parts": [{"low": 1, "later": 3}]}, StrictReader(other_keys=True))
    assert found.parts == (Inner(1.0),)


@dataclasses.dataclass(frozen=True)
class Kept:
    first: int
    second: int = 2
    third: Annotated[int, MAY_LACK] = 3
    xyz: Annotated[int, NOT_WRITTEN] = 4


def test_what_the_library_wrote_has_all_keys_but_those_that_may_lack():
    reader = StrictReader(complete=True)
    assert reader.read(Kept, {"first": 1, "second": 5}, "file.json") == Kept(1, 5)
    with pytest.raises(ConfigError, match="expected the keys first, second; second is missing"):
        reader.read(Kept, {"first": 1}, "file.json")
    with pytest.raises(ConfigError, match="unknown key 'seconds'; did you mean 'second'"):
        reader.read(Kept, {"first": 1, "seconds": 1}, "file.json")
    with pytest.raises(ConfigError, match="unknown key 'xyz'; known keys: first, second, third"):
        reader.read(Kept, {"first": 1, "second": 1, "xyz": 1}, "file.json")
    assert StrictReader().read(Kept, {"first": 1}, "file.json") == Kept(1)


def test_a_kind_may_be_written_in_a_way_of_its_own():
    def ends(value):
        if not isinstance(value, str) or value.count(":") != 1:
            raise MisfitError(f"expected LOW:HIGH, found {value!r}")
        return Inner(*map(float, value.split(":")))

    reader = StrictReader({Inner: ends})
    assert _read({"count": 1, "parts": ["1:2"]}, reader).parts == (Inner(1.0, 2.0),)
    with pytest.raises(ConfigError, match="parts: entry 0: expected LOW:HIGH, found '1'"):
        _read({"count": 1, "parts": ["1"]}, reader)
    with pytest.raises(ConfigError, match="parts: entry 0: expected low below high"):
        _read({"count": 1, "parts": ["2:1"]}, reader)


def test_a_typed_dictionary_is_taken_as_it_is_written():
    assert StrictReader().read(Noted, {"about": {"count": "three", "more": 1}}).about == {"count": "three", "more": 1}
    with pytest.raises(ConfigError, match=r"about: expected names and their values, found \[1\]"):
        StrictReader().read(Noted, {"about": [1]})


def test_numbers_that_json_does_not_know():
    reader = StrictReader({float: json_number})
    assert reader.read(Inner, {"low": "-inf", "high": "inf"}, "file.json") == Inner(-math.inf, math.inf)
    assert math.isnan(reader.read(tuple[float, ...], [1, None], "file.json")[1])
    for wrong in ("high", 10**400, True):
        with pytest.raises(ConfigError, match="low: expected a number"):
            reader.read(Inner, {"low": wrong}, "file.json")


def test_a_defect_of_a_hook_is_no_fault_of_the_values():
    def broken(_):
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        _read({"count": 1, "parts": [1]}, StrictReader({Inner: broken}))
