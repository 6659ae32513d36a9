import numpy as np
import pytest

from attent_tf.reporting.palette import rgb
from attent_tf.reporting.pictures import body_box, grey_picture, heat_table, overlay_picture
from tests.support.abdomen import ABDOMEN, LIVER, ORGANS


def test_body_box_leaves_air_out_and_keeps_specks_from_widening_it():
    image = np.zeros((3, 60, 80), np.uint8)
    image[1, 20:40, 30:60] = 150
    image[0, 0, 0] = 255
    assert body_box(image, margin=2) == (slice(18, 42), slice(28, 62))
    assert body_box(np.zeros((2, 10, 12), np.uint8)) == (slice(0, 10), slice(0, 12))


def test_proportions_follow_the_spacing():
    image = np.zeros((10, 20), np.uint8)
    assert grey_picture(image, (1.5, 1.5)).size == (40, 20)
    assert grey_picture(image, (3.0, 1.5)).size == (40, 40)


def test_entropy_is_darkest_where_the_model_is_sure():
    lightness = heat_table().astype(int) @ (0.299, 0.587, 0.114)
    assert np.all(np.diff(lightness) >= 0)
    assert lightness[0] < 20 < 230 < lightness[-1]


def test_overlay_outlines_the_organ_and_leaves_the_rest_grey():
    image = np.full((30, 30), 100, np.uint8)
    labels = np.zeros((30, 30), np.uint8)
    labels[8:22, 8:22] = LIVER
    picture = np.asarray(overlay_picture(image, labels, list(ABDOMEN.colours.values()), (1.0, 1.0)), int)
    np.testing.assert_array_equal(picture[17, 30], rgb(ABDOMEN.colours["liver"]))
    assert np.ptp(picture[4, 4]) == 0
    centre = picture[30, 30]
    assert 0 < np.abs(centre - 100).max() < np.abs(np.array(rgb(ABDOMEN.colours["liver"])) - 100).max() / 2


def test_every_organ_has_a_colour_of_its_own():
    assert set(ABDOMEN.colours) == set(ORGANS)
    colours = np.array([rgb(colour) for colour in ABDOMEN.colours.values()], float)
    apart = np.abs(colours[:, None] - colours[None]).sum(-1)
    assert apart[~np.eye(len(colours), dtype=bool)].min() > 80


# Machado, Oliveira and Fernandes (2009), severity 1: linear RGB as people with the deficiency see it.
DEFICIENCIES = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def _lab(linear):
    """CIELAB (D65) of linear RGB in [0, 1]."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratio = to_xyz @ linear / (0.9505, 1.0, 1.089)
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_colours_stay_apart_with_colour_vision_deficiency(deficiency):
    encoded = np.array([rgb(colour) for colour in ABDOMEN.colours.values()]) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = [_lab(np.clip(np.array(DEFICIENCIES[deficiency]) @ colour, 0, 1)) for colour in linear]
    apart = [np.linalg.norm(colour - earlier) for i, colour in enumerate(seen) for earlier in seen[:i]]
    # A difference of 2.3 is just noticeable between large patches side by side.
    assert min(apart) > 16


@pytest.mark.parametrize("organ", ORGANS)
def test_colours_stand_out_from_every_grey(organ):
    assert np.ptp(rgb(ABDOMEN.colours[organ])) > 80
