import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attent_tf.errors import InputError
from attent_tf.tasks import IntensityRule, parse_rule
from attent_tf.volumes import (
    Intensity,
    IntensityStatistics,
    body_mask,
    fit_intensity,
    measure_intensity,
    pool_statistics,
    to_canonical,
)

zscore_statistics = st.builds(
    IntensityStatistics,
    count=st.integers(1, 10**9),
    mean=st.floats(-2000, 2000),
    variance=st.floats(0.5, 1e6),
)


def test_the_ct_window_is_the_same_for_all_scans(tools):
    intensity = fit_intensity(tools.patient("SPL", domain="ct"))
    assert intensity == Intensity("window:-160:240", -160.0, 240.0)
    normal = intensity.normalise(np.array([-1000, -160, 40, 140, 240, 3000], np.int16))
    assert normal.dtype == np.float32
    np.testing.assert_allclose(normal, [-1, -1, 0, 0.5, 1, 1])


def test_mr_is_cut_at_percentiles_of_its_own(tools):
    canonical = tools.patient("SPL", domain="mri")
    intensity = fit_intensity(canonical)
    assert intensity == Intensity("percentile:0.5:99:volume:body", 2.0, 400.0)
    scaled = dataclasses.replace(canonical, voxels=canonical.voxels * 3 + 10)
    np.testing.assert_allclose(
        fit_intensity(scaled).normalise(scaled.voxels), intensity.normalise(canonical.voxels), atol=1e-5
    )


def test_a_few_very_bright_voxels_do_not_darken_an_mr(tools):
    canonical = tools.patient("SPL", domain="mri")
    voxels = canonical.voxels.copy()
    voxels[5, 28, 30:33] = 30000.0
    assert fit_intensity(dataclasses.replace(canonical, voxels=voxels)).high == 400.0


@pytest.mark.parametrize("rule", ["percentile:0.5:99", "zscore:3"])
def test_a_scan_of_one_value_is_refused(tools, rule):
    canonical = tools.patient("SPL", domain="mri")
    flat = dataclasses.replace(canonical, voxels=np.full(canonical.shape, 7.0, np.float32))
    with pytest.raises(InputError, match=r"patient-SPL: expected a scan with contrast, found 7") as refused:
        fit_intensity(flat, parse_rule(rule))
    assert refused.value.problem.where == "patient-SPL"


def _noisy(tools, kind, domain="mri", codes="SPL"):
    """A scan in which no value stands out, in the file's own type."""
    stored = tools.patient(codes, shape_spl=(7, 40, 50), spacing_spl=(8.0, 5.0, 5.0), domain=domain)
    noise = np.random.default_rng(0).normal(300, 40, stored.shape)
    return dataclasses.replace(stored, voxels=(stored.voxels + noise).astype(kind))


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("part", ["volume", "body"])
def test_percentiles_are_numpys(tools, kind, part):
    canonical = _noisy(tools, kind)
    body = body_mask(canonical)
    assert 0.2 < body.mean() < 0.9
    found = fit_intensity(canonical, IntensityRule("percentile", 3.0, 97.5, part, part), body)
    values = canonical.voxels[body] if part == "body" else canonical.voxels.ravel()
    low, high = np.percentile(values.astype(np.float64), (3.0, 97.5))
    assert found.low == pytest.approx(low, rel=1e-12)
    assert found.high == pytest.approx(high, rel=1e-12)


def test_integers_of_a_wide_range_need_no_table_of_them(tools):
    canonical = _noisy(tools, np.int32)
    voxels = canonical.voxels.copy()
    voxels[0, 0, 0], voxels[0, 0, 1] = -(2**31), 2**31 - 1
    found = fit_intensity(dataclasses.replace(canonical, voxels=voxels), parse_rule("percentile:1:99"))
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(voxels, (1, 99))))


@pytest.mark.parametrize("kind", [np.int16, np.float32])
@pytest.mark.parametrize("part", ["volume", "body"])
def test_zscore_puts_deviations_from_the_mean_at_minus_one_and_one(tools, kind, part):
    canonical = _noisy(tools, kind)
    body = body_mask(canonical)
    intensity = fit_intensity(canonical, parse_rule(f"zscore:2.5:{part}"), body)
    values = (canonical.voxels[body] if part == "body" else canonical.voxels).astype(np.float64)
    assert intensity.low == pytest.approx(values.mean() - 2.5 * values.std(), rel=1e-12)
    assert intensity.high == pytest.approx(values.mean() + 2.5 * values.std(), rel=1e-12)
    normal = intensity.normalise(canonical.voxels)
    np.testing.assert_allclose(
        normal, np.clip((canonical.voxels - values.mean()) / (2.5 * values.std()), -1, 1), atol=1e-5
    )
    assert (np.abs(normal) == 1).any(), "some voxels lie beyond and are cut"


def test_sifas_steps_are_the_percentiles_0_to_98(tools):
    canonical = _noisy(tools, np.float32)
    # As published: cut the brightest 2 % of the volume, z-score, scale what there is to [-1, 1].
    cut = np.minimum(canonical.voxels.astype(np.float64), np.percentile(canonical.voxels, 98))
    scored = (cut - cut.mean()) / cut.std()
    expected = 2 * (scored - scored.min()) / (scored.max() - scored.min()) - 1
    found = fit_intensity(canonical, parse_rule("percentile:0:98")).normalise(canonical.voxels)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("rule", ["percentile:1:99:body", "percentile:0.5:99:volume:body", "zscore:3:body"])
@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_the_order_in_which_voxels_are_stored_does_not_show(tools, rule, kind):
    canonical = _noisy(tools, kind)
    turned = dataclasses.replace(canonical, voxels=np.asfortranarray(canonical.voxels))
    flipped = dataclasses.replace(canonical, voxels=canonical.voxels[:, ::-1].copy()[:, ::-1])
    expected = measure_intensity(canonical, parse_rule(rule))
    assert expected == measure_intensity(turned, parse_rule(rule)) == measure_intensity(flipped, parse_rule(rule))


def test_a_body_that_is_not_there_is_the_volume(tools):
    canonical = _noisy(tools, np.float32)
    nothing = np.zeros(canonical.shape, bool)
    assert measure_intensity(canonical, parse_rule("percentile:2:98:body"), nothing) == measure_intensity(
        canonical, parse_rule("percentile:2:98")
    )


def test_percentiles_of_training_scans_are_pooled_as_medians():
    rule = parse_rule("percentile:1:99@training")
    measured = [IntensityStatistics(low, high) for low, high in ((1.0, 900.0), (5.0, 100.0), (2.0, 300.0))]
    assert pool_statistics(measured, rule) == Intensity("percentile:1:99@training", 2.0, 300.0)


def test_pooled_deviations_are_those_of_all_voxels_together(tools):
    rule = parse_rule("zscore:-2:4@training")
    scans = [_noisy(tools, kind, domain) for kind, domain in ((np.int16, "mri"), (np.float32, "ct"), (np.int32, "mri"))]
    scans[2] = dataclasses.replace(scans[2], voxels=scans[2].voxels[:3] + 500)
    pooled = pool_statistics([measure_intensity(scan, rule) for scan in scans], rule)
    together = np.concatenate([scan.voxels.ravel().astype(np.float64) for scan in scans])
    assert pooled.low == pytest.approx(together.mean() - 2 * together.std(), rel=1e-12)
    assert pooled.high == pytest.approx(together.mean() + 4 * together.std(), rel=1e-12)


@given(measured=st.lists(zscore_statistics, min_size=1, max_size=12), order=st.randoms(use_true_random=False))
def test_the_order_of_volumes_does_not_show_in_any_bit(measured, order):
    rule = parse_rule("zscore:3@training")
    shuffled = list(measured)
    order.shuffle(shuffled)
    assert pool_statistics(shuffled, rule) == pool_statistics(measured, rule)


def test_no_training_scan_is_an_error():
    with pytest.raises(InputError, match="training cases: expected at least one scan to measure, found none"):
        pool_statistics([], parse_rule("zscore:3@training"))


def test_statistics_survive_json(tools):
    for rule in ("zscore:3", "percentile:1:99", "window:0:1"):
        measured = measure_intensity(_noisy(tools, np.int16), parse_rule(rule))
        assert IntensityStatistics(**json.loads(json.dumps(measured.to_json(), allow_nan=False))) == measured


@given(low=st.floats(-2000, 2000), width=st.floats(1, 5000), part=st.floats(0, 1))
def test_what_lies_within_comes_back(low, width, part):
    intensity = Intensity("zscore:3", low, low + width)
    raw = low + part * width
    assert -1 <= intensity.normalise(raw) <= 1
    assert float(intensity.restore(intensity.normalise(raw))) == pytest.approx(raw, abs=1e-5 * (abs(low) + width))


def test_normalising_leaves_the_raw_scan_as_it_is():
    raw = np.array([10.0, 20.0], np.float32)
    Intensity("window:0:30", 0.0, 30.0).normalise(raw)
    np.testing.assert_array_equal(raw, [10.0, 20.0])


def test_a_stored_scan_and_its_canonical_view_are_measured_alike(tools):
    canonical = _noisy(tools, np.int16)
    stored = dataclasses.replace(
        canonical,
        voxels=np.ascontiguousarray(canonical.voxels[:, ::-1, ::-1].transpose(2, 1, 0)),
        affine=tools.affine_of("RAS", canonical.shape[::-1], canonical.spacing_mm[::-1]),
        labels=None,
    )
    assert measure_intensity(to_canonical(stored), parse_rule("zscore:3:body")) == measure_intensity(
        canonical, parse_rule("zscore:3:body")
    )
