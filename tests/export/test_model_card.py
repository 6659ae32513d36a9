"""The card of a model in words."""

import dataclasses
import itertools
from pathlib import Path

import pytest

from attent_tf.configs import load_config
from attent_tf.deployment.signature import expected_signatures
from attent_tf.export.metadata import make_metadata
from attent_tf.export.model_card import make_card
from attent_tf.methods import METHODS, get_method
from attent_tf.runs import Run
from attent_tf.volumes import PrepareOptions
from tests.support.abdomen import ABDOMEN


def _card(method, direction="mri2ct", options=None, warnings=(), optimization=None, overrides=(), task=ABDOMEN):
    options = options or PrepareOptions()
    run = Run(Path("run"), get_method(method), direction, load_config("demo", list(overrides)), "abc", options, task)
    signatures = expected_signatures(options.size, options.channels, task.num_classes)
    metadata = make_metadata(run, 4, signatures, "def", {"segmentation": (3, 5)}, optimization)
    return make_card(run, metadata, None, list(warnings))


@pytest.mark.parametrize(
    ("method", "direction", "sentence"),
    [
        ("attent", "mri2ct", "it learned from labelled MRI and unlabelled CT."),
        ("entropy", "ct2mri", "it learned from labelled CT and unlabelled MRI."),
        ("source_only", "mri2ct", "it learned from labelled MRI."),
        ("supervised", "mri2ct", "it learned from labelled CT."),
    ],
)
def test_it_says_which_data_it_learned_from(method, direction, sentence):
    assert sentence in _card(method, direction)


@pytest.mark.parametrize(
    ("method", "sentence"),
    [
        ("attent", "- A slice is translated into MRI style first, and segmented then.\n"),
        ("attent_both", "- A slice is segmented as it is and in MRI style, and the probabilities are averaged.\n"),
    ],
)
def test_it_says_in_which_style_slices_are_segmented(method, sentence):
    assert sentence in _card(method)


def test_it_says_nothing_of_style_where_nothing_is_translated():
    assert "style" not in _card("source_only")


def test_it_says_how_much_each_style_counts_where_they_differ(monkeypatch):
    method = get_method("attent_both")
    raw, translated = method.deployment
    unequal = dataclasses.replace(
        method, deployment=(dataclasses.replace(raw, weight=3.0), dataclasses.replace(translated, weight=1.0))
    )
    monkeypatch.setitem(METHODS, "attent_both", unequal)
    assert "averaged with weights of 75 % and 25 %." in _card("attent_both")


def test_it_says_which_of_several_answers_counts():
    card = _card("attent_both", overrides=["paths=foreground"])
    assert "as it is and in MRI style, and of the answers that one counts which gives the background least.\n" in card


def test_it_says_how_slices_are_made():
    card = _card("attent", options=PrepareOptions(pixel_mm=2.5, slice_mm=4.0, neighbours=1))
    assert (
        "pixels of 2.5 mm, centred on the body; slices every 4.0 mm; 3 channels: the slice, with its neighbours" in card
    )
    assert "by the rule `window:-160:240`" in card
    assert "the whole slice resized; slices as scanned; 1 channel." in _card("attent", options=PrepareOptions("resize"))


def test_it_says_what_is_wrong_with_it():
    assert "- The segmentation stage was stopped at step 3 of 5.\n" in _card(
        "attent", warnings=["The segmentation stage was stopped at step 3 of 5."]
    )


def test_it_says_what_optimisation_changed():
    found = {
        "weights": "float16",
        "sample": "phantom",
        "slices": 8,
        "largest_change_of_a_probability": 0.01234,
        "share_of_pixels_with_another_label": 0.00056,
        "seconds_plain": 2.0,
        "seconds_optimized": 1.5,
        "speedup": 1.33,
    }
    card = _card("attent", optimization=found)
    assert "weights as float16 constants" in card
    assert "largest change of a probability was 0.012" in card
    assert "0.056 % of the pixels" in card
    assert "1.5 s instead of 2.0 s" in card
    assert "Optimised" not in _card("attent")


def test_it_says_that_postprocessing_is_up_to_the_client():
    assert "## Postprocessing\n\nNone.\n\nThe file" in _card("attent")
    card = _card("attent", overrides=["postprocessing.fill_holes=true"])
    assert "Background that a structure encloses on all sides becomes part of it.\nThat is up to the client" in card
    assert "largest part" not in card


def test_lines_have_no_holes():
    lines = _card("attent", overrides=["postprocessing.fill_holes=true"]).splitlines()
    assert all(line == line.rstrip() for line in lines)
    assert not any(first == second == "" for first, second in itertools.pairwise(lines))
    assert "{" not in "".join(lines)
