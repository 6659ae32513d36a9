import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attent_tf.errors import ConfigError
from attent_tf.tasks import DEFAULT_RULES, IntensityRule, parse_rule, rule_from_json, rule_text, rule_to_json


@st.composite
def rules(draw):
    kind = draw(st.sampled_from(("window", "percentile", "zscore")))
    ends = st.floats(0, 100) if kind == "percentile" else st.floats(-1e6, 1e6)
    low, high = sorted(draw(st.lists(ends, min_size=2, max_size=2, unique=True)))
    parts = st.sampled_from(("volume", "body"))
    low_of = "volume" if kind == "window" else draw(parts)
    high_of = draw(parts) if kind == "percentile" else low_of
    return IntensityRule(kind, low, high, low_of, high_of, draw(st.sampled_from(("volume", "training"))))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("window:-160:240", IntensityRule("window", -160, 240)),
        ("percentile:0.5:99", IntensityRule("percentile", 0.5, 99)),
        ("percentile:0.5:99:body", IntensityRule("percentile", 0.5, 99, "body", "body")),
        ("percentile:0.5:99:volume:body", DEFAULT_RULES["mri"]),
        ("percentile:0:98@training", IntensityRule("percentile", 0, 98, statistics="training")),
        ("zscore:3", IntensityRule("zscore", -3, 3)),
        ("zscore:-2:4:body@training", IntensityRule("zscore", -2, 4, "body", "body", "training")),
        ("zscore:3:body", IntensityRule("zscore", -3, 3, "body", "body")),
        ("window:-3.25:1e3@training", IntensityRule("window", -3.25, 1000, statistics="training")),
    ],
)
def test_rules_are_read_as_users_write_them(text, rule):
    assert parse_rule(text) == rule


@given(rule=rules())
def test_text_and_json_hold_the_whole_rule(rule):
    assert parse_rule(rule_text(rule)) == rule
    assert rule_from_json(json.loads(json.dumps(rule_to_json(rule)))) == rule


@pytest.mark.parametrize("text", ["window:-160:240", "percentile:0.5:99:volume:body", "zscore:3:body@training"])
def test_text_is_as_short_as_users_write_it(text):
    assert rule_text(parse_rule(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "window", "window:1", "window:1:2:3", "window:1:2:body", "window:b:2", "window:2:1", "window:nan:1"),
        *("percentile:1", "percentile:1:101", "percentile:1:99:organ", "percentile:body:1:99", "percentile:1:99@test"),
        *("zscore", "zscore:-3", "zscore:3:body:volume", "zscore:1:2:3", "mean:3", "percentile:1:99:body:body:body"),
    ],
)
def test_wrong_text_is_answered_with_the_forms(text):
    with pytest.raises(ConfigError, match=r"window:LOW:HIGH, percentile:LOW:HIGH.*zscore:K.*@training"):
        parse_rule(text)


@pytest.mark.parametrize(
    "change",
    [
        {"low": "1"},
        {"kind": 3},
        {"extra": 1},
        {"low": True},
        {"low": float("nan")},
        {"kind": "square"},
        {"low_of": None},
    ],
)
def test_json_that_is_no_rule_is_refused(change):
    with pytest.raises(ConfigError, match="intensity"):
        rule_from_json(rule_to_json(DEFAULT_RULES["mri"]) | change)
    with pytest.raises(ConfigError, match="intensity rule"):
        rule_from_json({"kind": "window"})


def test_only_measured_statistics_need_training_cases():
    assert parse_rule("zscore:3@training").needs_training
    assert not parse_rule("window:0:1@training").needs_training
    assert not parse_rule("zscore:3").needs_training
