"""The signs of a run: what is shown to its networks, and that no label of the target is read."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from attent_tf.configs import load_config
from attent_tf.errors import RecordsError
from attent_tf.inference.chain import Chain, Route
from attent_tf.inference.check import check
from attent_tf.inference.evaluate import evaluate
from attent_tf.methods import TO_SOURCE, TO_TARGET, get_method
from attent_tf.progress import SilentObserver
from attent_tf.runs import Run
from attent_tf.runs.run import create_or_check
from attent_tf.tasks import load_task
from attent_tf.volumes import PrepareOptions
from cli.main import main
from tests.support.hand_records import HandCase, write_hand_records
from tests.support.small_runs import TINY

SIZE, SLICES = 64, 4
# Grey values of the classes of `_bands`, background to spleen.
LEVELS = (-1.0, -0.5, 0.0, 0.5, 1.0)


class Bands:
    """A segmentor that calls a pixel by its grey value; the nearest of `LEVELS` counts.

    Args:
      certainty: how much farther the others' logits fall.
    """

    def __init__(self, certainty=200.0):
        self._certainty = certainty

    def __call__(self, images, training):
        assert not training
        distance = tf.square(images - tf.constant(LEVELS, tf.float32))
        return SimpleNamespace(main=-self._certainty * distance)


def _scan(level_of=lambda organ: LEVELS[organ], shift=0):
    """Images [slice, size, size] and labels: four organs as boxes, in the inner slices, with a grey value each."""
    labels = np.zeros((SLICES, SIZE, SIZE), np.uint8)
    for organ, start in zip((1, 2, 3, 4), (12, 24, 34, 44), strict=True):
        labels[1:3, 20 + shift : 44 + shift, start : start + 8] = organ
    images = np.select([labels == organ for organ in range(1, 5)], [level_of(organ) for organ in range(1, 5)], -1.0)
    return images.astype(np.float32), labels


def _cases(target_labels="true"):
    rng = np.random.default_rng(7)
    yield HandCase("mri-1", "mri", "train", *_scan())
    yield HandCase("mri-2", "mri", "test", *_scan())
    for name, split, shift in (("ct-1", "train", 0), ("ct-2", "train", 4), ("ct-3", "test", 2)):
        images, labels = _scan(shift=shift)
        if target_labels == "scrambled":
            labels = rng.permuted(labels, axis=None).astype(np.uint8)
        yield HandCase(name, "ct", split, images, None if target_labels == "none" else labels)


@pytest.fixture
def routes(monkeypatch):
    """The paths that runs deploy, `Bands` alone; tests may put others into the list."""
    paths = [Route(Bands())]
    for module in ("check", "evaluate"):
        monkeypatch.setattr(f"attent_tf.inference.{module}.load_chain", lambda _: Chain(paths, SIZE))
    return paths


def _run(folder, method):
    config = load_config("demo", [*TINY, f"data.image_size={SIZE}"])
    made = Run(folder, get_method(method), "mri2ct", config, "0" * 64, PrepareOptions(), load_task())
    create_or_check(made, ())
    return made


@pytest.fixture
def run(tmp_path, routes):
    """A run folder of `source_only` without weights."""
    return _run(tmp_path / "run", "source_only")


@pytest.fixture
def translators(monkeypatch):
    """What is loaded for a role; tests may put others in their place."""
    parts = {TO_SOURCE: _turned, TO_TARGET: _turned}
    monkeypatch.setattr("attent_tf.inference.signs.load_parts", lambda run, *roles: [parts[role] for role in roles])
    return parts


def _turned(images, training):
    """An image with its grey values upside down."""
    assert not training
    return -images


@pytest.fixture
def records(tmp_path):
    return write_hand_records(tmp_path / "records", list(_cases()))


def _sign(signs, name):
    return next(sign for sign in signs.signs if sign.id == name)


def test_a_model_that_is_right_everywhere(run, records):
    signs = check(run, records, SilentObserver())
    assert signs.cases == ("ct-1", "ct-2")
    assert signs.slices == 2 * SLICES
    assert _sign(signs, "shares").organs == {"liver": 1, "right_kidney": 1, "left_kidney": 1, "spleen": 1}
    assert (_sign(signs, "empty").value, _sign(signs, "empty").reference) == (0.5, 0.5)
    assert _sign(signs, "islands").value == 1
    assert _sign(signs, "entropy").value == pytest.approx(_sign(signs, "entropy").reference, abs=1e-6)
    assert _sign(signs, "scale").value > 0.87
    # Grey values are all that `Bands` goes by, and curves move those in the middle of the range.
    assert _sign(signs, "grey").value < 0.87
    assert {sign.id: sign.reason for sign in signs.left_out} == {
        "paths": "the method deploys one path",
        "cycle": "the method has no translators both ways",
    }


def test_a_model_that_loses_an_organ_is_red(run, tmp_path):
    dark = [case for case in _cases() if case.domain == "mri"]
    images, labels = _scan(lambda organ: LEVELS[organ] if organ < 4 else LEVELS[0])
    records = write_hand_records(tmp_path / "dark", [*dark, HandCase("ct-1", "ct", "train", images, labels)])
    signs = check(run, records, SilentObserver())
    shares = _sign(signs, "shares")
    assert (shares.verdict, shares.value, shares.organs["spleen"]) == ("red", 0, 0)
    assert _sign(signs, "islands").organs["spleen"] is None


@pytest.mark.slow
def test_networks_may_work_at_less_than_the_edge_of_the_records(run, routes, records, monkeypatch):
    whole = check(run, records, SilentObserver())
    monkeypatch.setattr("attent_tf.inference.check.load_chain", lambda _: Chain(routes, SIZE // 2))
    half = check(run, records, SilentObserver())
    assert half.slices == whole.slices
    assert _sign(half, "empty").value == 0.5
    # Organs lie on whole blocks of pixels, so that half as many show the same; curves see other darkest and brightest places.
    assert _sign(half, "grey").value == pytest.approx(_sign(whole, "grey").value, abs=0.02)
    assert _sign(half, "scale").value > 0.7


@pytest.mark.slow
def test_paths_are_held_against_each_other(run, routes, records):
    routes[:] = [Route(Bands()), Route(Bands(), (lambda images, training: -images,))]
    sign = _sign(check(run, records, SilentObserver()), "paths")
    # Upside down, the left kidney is where the liver was, and the spleen is air; the right kidney, in the middle, stays.
    assert (sign.value, sign.verdict) == (pytest.approx((0 + 1 + 0 + 0) / 4), "red")


@pytest.mark.slow
def test_the_cycle_goes_to_the_source_and_back(routes, translators, records, tmp_path):
    run = _run(tmp_path / "run", "cyclegan_source")
    assert _sign(check(run, records, SilentObserver()), "cycle").value == 1
    # A dead end: whatever comes in, all is air on the way back.
    translators[TO_TARGET] = lambda images, training: images * 0 - 1
    sign = _sign(check(run, records, SilentObserver()), "cycle")
    assert (sign.value, sign.verdict) == (0, "red")


@pytest.mark.slow
def test_entropy_on_the_source_is_of_slices_as_the_segmentor_was_shown_them(routes, translators, records, tmp_path):
    # Half-way between two levels, nobody can tell which of both it is: an entropy of log 2 / log 5.
    translators[TO_TARGET] = lambda images, training: images * 0 + 0.25
    unsure = np.log(2) / np.log(5)
    shown_translated = check(_run(tmp_path / "after", "cyclegan_source"), records, SilentObserver())
    assert _sign(shown_translated, "entropy").reference == pytest.approx(unsure, abs=1e-3)
    shown_as_they_are = check(_run(tmp_path / "before", "attent"), records, SilentObserver())
    assert _sign(shown_as_they_are, "entropy").reference == pytest.approx(0, abs=1e-3)
    self_trained = check(_run(tmp_path / "self", "source_st"), records, SilentObserver())
    assert _sign(self_trained, "entropy").reference == pytest.approx(0, abs=1e-3)
    for method in ("synseg", "pnp_adanet", "sifa_v2", "supervised"):
        left_out = {sign.id for sign in check(_run(tmp_path / method, method), records, SilentObserver()).left_out}
        assert "entropy" in left_out


@pytest.mark.slow
def test_a_run_whose_translators_are_gone_has_its_other_signs(routes, records, tmp_path):
    """It is deployed without them."""
    signs = check(_run(tmp_path / "run", "cyclegan_source"), records, SilentObserver())
    reasons = {sign.id: sign.reason for sign in signs.left_out}
    assert reasons["cycle"] == reasons["entropy"] == "the run's translators cannot be loaded"
    assert {sign.id for sign in signs.signs} == {"shares", "empty", "grey", "scale", "islands"}


@pytest.mark.slow
def test_other_cases_are_looked_at_when_asked(run, records):
    assert check(run, records, SilentObserver(), split="test").cases == ("ct-3",)
    assert check(run, records, SilentObserver(), limit=1).cases == ("ct-2",)


def test_without_a_labelled_source_what_is_held_against_it_is_left_out(run, tmp_path):
    records = write_hand_records(tmp_path / "target", [case for case in _cases() if case.domain == "ct"])
    left_out = {sign.id: sign.reason for sign in check(run, records, SilentObserver()).left_out}
    assert left_out.keys() == {"paths", "cycle", "shares", "empty", "entropy"}
    assert left_out["shares"] == "the records hold no labelled training cases of mri"


def test_records_without_such_cases_or_prepared_otherwise_are_refused(run, records, tmp_path):
    source = write_hand_records(tmp_path / "source", [case for case in _cases() if case.domain == "mri"])
    with pytest.raises(RecordsError, match="expected train cases of ct, found none"):
        check(run, source, SilentObserver())
    run = dataclasses.replace(run, prepare_options=PrepareOptions(pixel_mm=9.0))
    with pytest.raises(RecordsError, match="prepared with pixel_mm"):
        check(run, records, SilentObserver())


@pytest.mark.slow
@pytest.mark.parametrize("split", ["train", "test"])
def test_no_label_of_the_target_is_read(run, tmp_path, split):
    """Scrambled labels, or none at all, give the same answer to the last digit."""
    found = []
    for labels in ("true", "scrambled", "none"):
        records = write_hand_records(tmp_path / labels, list(_cases(labels)))
        words = ["check", "--run", str(run.folder), "--records", str(records), "--split", split]
        result = CliRunner().invoke(main, [*words, "--out", str(tmp_path / f"{labels}.json")])
        assert result.exit_code == 0, result.output
        # The first line tells how fast it went.
        found.append((result.output.splitlines()[1:], (tmp_path / f"{labels}.json").read_bytes()))
    assert found[0] == found[1] == found[2]


@pytest.mark.slow
def test_the_command_prints_writes_and_is_strict_when_asked(run, routes, records, tmp_path):
    words = ["check", "--run", str(run.folder), "--records", str(records)]
    result = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "signs.json")])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    (row,) = (line.split() for line in lines if line.startswith("Shares of structures  "))
    assert row == ["Shares", "of", "structures", "green", "1.00"]
    assert "  liver 1.00, right kidney 1.00, left kidney 1.00, spleen 1.00" in lines
    assert "the method deploys one path" in " ".join(result.output.split())
    content = json.loads((tmp_path / "signs.json").read_text())
    assert content["run"]["method"] == "source_only"
    assert content["estimate"] is None
    verdicts = [sign["verdict"] for sign in content["signs"]]
    together = "red" in verdicts or verdicts.count("amber") >= 4
    assert CliRunner().invoke(main, [*words, "--strict"]).exit_code == int(together)
    assert together == ("red" in next(line for line in lines if line.startswith("Together ")))
    routes[:] = [
        Route(lambda images, training: SimpleNamespace(main=tf.concat([images * 0 + 9] + [images * 0] * 4, -1)))
    ]
    assert CliRunner().invoke(main, words).exit_code == 0
    assert CliRunner().invoke(main, [*words, "--strict"]).exit_code == 1


@pytest.mark.slow
def test_an_evaluation_keeps_the_signs_of_its_cases_whatever_their_labels_are(run, tmp_path):
    kept = []
    for labels in ("true", "scrambled", "none"):
        records = write_hand_records(tmp_path / labels, list(_cases(labels)))
        out = tmp_path / f"evaluation-{labels}"
        evaluation = evaluate(run, records, out, SilentObserver())
        kept.append(evaluation.header["signs"])
        assert "Without labels" in (out / "report" / "index.html").read_text()
        assert kept[-1]["signs"] == list(check(run, records, SilentObserver(), "test").to_json()["signs"])
    assert kept[0] == kept[1] == kept[2]
    assert kept[0]["cases"] == ["ct-3"]
