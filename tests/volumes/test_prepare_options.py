import dataclasses
import json

import numpy as np
import pytest

from attent_tf.errors import ConfigError
from attent_tf.tasks import parse_rule
from attent_tf.volumes import Intensity, PrepareOptions, measure_case, pool_statistics, prepare
from tests.support.abdomen import CT, MRI


@pytest.mark.parametrize(
    "options",
    [
        PrepareOptions(),
        PrepareOptions(
            "resize", 128, 2.0, 4.5, 2, {"t2": parse_rule("zscore:3:body@training"), "ct": parse_rule("window:-1:1e-3")}
        ),
    ],
)
def test_options_survive_json(options):
    assert PrepareOptions.from_json(json.loads(json.dumps(options.to_json(), allow_nan=False))) == options


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"slice_mm": "3"}, "slice_mm"),
        ({"size": 1.5}, "size"),
        ({"neighbours": True}, "neighbours"),
        ({"pixel_mm": None}, "pixel_mm"),
        ({"intensity": {"ct": {}}}, "preparation: intensity: ct: expected the keys kind, low"),
        ({"intensity": ["window:0:1"]}, "intensity: expected names and their values"),
        (
            {
                "intensity": {
                    "ct": {"kind": "window", "low": 3.0, "high": 1.0, "low_of": "volume", "high_of": "volume"}
                    | {"statistics": "volume"}
                }
            },
            "preparation: intensity: ct: intensity window: expected two numbers, low below high",
        ),
        ({"spacing": 1.0}, "spacing"),
    ],
)
def test_json_that_is_no_preparation_is_refused(change, found):
    with pytest.raises(ConfigError, match=found):
        PrepareOptions.from_json(PrepareOptions().to_json() | change)
    with pytest.raises(ConfigError, match="preparation"):
        PrepareOptions.from_json(None)


@pytest.mark.parametrize("wrong", [{"slice_mm": 0.0}, {"slice_mm": float("inf")}, {"neighbours": -1}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        PrepareOptions(**wrong)


def test_a_domain_has_the_rule_that_is_given_or_else_the_tasks():
    rule = parse_rule("zscore:3")
    options = PrepareOptions(intensity={"mri": rule})
    assert options.intensity_rule(MRI) == rule
    assert options.intensity_rule(CT) == CT.intensity
    both = options.with_rules({"ct": parse_rule("window:0:1")})
    assert (both.intensity_rule(MRI), both.intensity_rule(CT)) == (rule, parse_rule("window:0:1"))


def test_rules_of_training_cases_ask_for_them(tools):
    options = PrepareOptions(size=32, intensity={"mri": parse_rule("zscore:3@training")})
    assert options.unresolved() == ("mri",)
    with pytest.raises(ConfigError, match=r"patient-RAS: the mri intensity zscore:3@training needs to be measured"):
        prepare(tools.patient("RAS", domain="mri"), options)


def test_an_unseen_scan_is_prepared_with_the_numbers_of_training_cases(tools):
    rule = parse_rule("percentile:2:99:body@training")
    options = PrepareOptions(size=48, pixel_mm=5.0, intensity={"mri": rule})
    training = [tools.patient(codes, domain="mri") for codes in ("RAS", "LPS")]
    training[1] = dataclasses.replace(training[1], voxels=training[1].voxels * 2)
    pooled = pool_statistics([measure_case(volume, rule) for volume in training], rule)
    assert (pooled.low, pooled.high) == (1.5 * 2.0, 1.5 * 400.0)
    resolved = PrepareOptions.from_json(options.resolved({"mri": pooled, "ct": Intensity("", 0.0, 1.0)}).to_json())
    assert resolved.unresolved() == ()
    assert set(resolved.intensity) == {"mri"}
    unseen = dataclasses.replace(tools.patient("PIL", domain="mri"), case="unseen")
    record, inference = prepare(unseen, options, pooled), prepare(unseen, resolved)
    np.testing.assert_array_equal(record.images, inference.images)
    assert (record.geometry.intensity.rule, inference.geometry.intensity.rule) == (
        "percentile:2:99:body@training",
        "window:3:600@training",
    )


def test_a_given_intensity_takes_the_place_of_the_scans_own(tools):
    volume = tools.patient("RAS", domain="mri")
    case = prepare(volume, PrepareOptions(size=48, pixel_mm=5.0), Intensity("window:0:800", 0.0, 800.0))
    np.testing.assert_allclose(np.unique(case.images[case.labels == 1]).max(), 0.0, atol=1e-6)
