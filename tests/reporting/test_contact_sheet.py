"""Contact sheets: what is where on them, and the page that shows them."""

import io

import numpy as np
import pytest
from PIL import Image

from attent_tf.organs import LIVER, SPLEEN
from attent_tf.reporting.contact_sheet import PreviewEntry, draw_contact_sheet, preview_page
from attent_tf.reporting.palette import ORGAN_COLOURS, rgb


@pytest.fixture
def case():
    """A body with the liver at the patient's right and the spleen at the left, 12 slices of 64 × 64."""
    images = np.full((12, 64, 64), -1.0, np.float32)
    images[:, 8:56, 4:60] = 0.0
    labels = np.zeros((12, 64, 64), np.uint8)
    labels[4:9, 20:40, 8:28] = LIVER
    labels[4:9, 25:40, 44:56] = SPLEEN
    return images, labels


def _sheet(*arguments):
    return np.asarray(Image.open(io.BytesIO(draw_contact_sheet(*arguments))).convert("RGB")).astype(int)


def _columns_of(sheet, organ):
    """Columns of the outline's colour within the first tile that shows it, below the bar with the legend."""
    near = (np.abs(sheet[40:] - rgb(ORGAN_COLOURS[organ])) < 12).all(axis=-1)
    return np.nonzero(near)[1]


def test_the_patients_right_is_at_the_left_of_each_picture(case):
    images, labels = case
    sheet = _sheet(images, labels, "case-1", (5.0, 2.0, 2.0))
    # Tiles are 328 apart; within a tile the liver stands before the spleen.
    liver, spleen = _columns_of(sheet, "liver") % 328, _columns_of(sheet, "spleen") % 328
    assert liver.size > 200
    assert spleen.size > 200
    assert liver.max() < spleen.min()


def test_without_labels_no_organ_is_coloured(case):
    sheet = _sheet(case[0], None, "case-1", (5.0, 2.0, 2.0))
    assert not _columns_of(sheet, "liver").size
    assert sheet.max() > 100


def test_pixels_keep_their_proportions(case):
    """Rows twice as far apart make pictures twice as high."""
    images, labels = case
    flat, tall = (_sheet(images, labels, "case-1", (5.0, row_mm, 2.0)).shape[0] for row_mm in (2.0, 4.0))
    assert 1.7 < tall / flat < 2.0


@pytest.mark.parametrize("slices", [1, 2, 11, 40])
def test_any_number_of_slices_is_drawn(slices):
    rng = np.random.default_rng(slices)
    sheet = _sheet(rng.uniform(-1, 1, (slices, 40, 40)).astype(np.float32), None, "x", (3.0, 1.0, 1.0))
    assert sheet.shape[1] == 4 * 328 + 8


def test_the_page_links_every_sheet_and_says_why_cases_are_missing():
    entries = [PreviewEntry("chaos-1", "mri", "train", "a.png", 5, 6), PreviewEntry("<b>", "ct", "test", "b.png", 6, 6)]
    page = preview_page(entries, [("chaos-2", "scan.dcm: expected <a> & found b; copy it")])
    assert 'src="a.png"' in page
    assert "train, 5 of 6 slices" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "expected &lt;a&gt; &amp; found b" in page
    assert "http://" not in page
    assert "https://" not in page
