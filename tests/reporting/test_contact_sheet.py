"""Contact sheets: what is where on them, and the page that shows them."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from attent_tf.reporting.contact_sheet import PreviewEntry, draw_contact_sheet, preview_page
from attent_tf.reporting.palette import rgb
from tests.support.abdomen import ABDOMEN, LIVER, SPLEEN


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
    return np.asarray(Image.open(io.BytesIO(draw_contact_sheet(ABDOMEN, *arguments))).convert("RGB")).astype(int)


def _columns_of(sheet, organ):
    """Columns of the outline's colour within the first tile that shows it, below the bar with the legend."""
    near = (np.abs(sheet[40:] - rgb(ABDOMEN.colours[organ])) < 12).all(axis=-1)
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


def test_slices_run_from_feet_to_head(case):
    images, _ = case
    liver_below = np.zeros(images.shape, np.uint8)
    liver_below[0, 20:40, 8:28] = LIVER
    found = _columns_of(_sheet(images, liver_below, "case-1", (5.0, 2.0, 2.0)), "liver")
    # The first picture, and the coronal cut at the end of the last row.
    assert set(found // 328) == {0, 3}


def test_the_head_is_at_the_top_of_the_coronal_cut(case):
    images, _ = case
    labels = np.zeros(images.shape, np.uint8)
    labels[:4, 20:40, 8:28] = LIVER
    labels[8:, 20:40, 8:28] = SPLEEN
    sheet = _sheet(images, labels, "case-1", (20.0, 2.0, 2.0))
    # 12 slices of 20 mm are the highest picture; the 11 others stand in its row and above.
    coronal = sheet[-(8 + 12 * 20 // 2 * 320 // 68) :, 3 * 328 :]
    liver, spleen = (
        np.nonzero((np.abs(coronal - rgb(ABDOMEN.colours[o])) < 12).all(-1))[0] for o in ("liver", "spleen")
    )
    assert liver.size > 200
    assert spleen.size > 200
    assert spleen.max() < liver.min()


def test_titles_show_letters_of_several_scripts():
    images = np.full((2, 64, 64), -1.0, np.float32)
    # The last one has no letter in any font: what fonts draw in the place of a letter that they lack.
    sheets = {title: _sheet(images, None, title, (2.0, 1.0, 1.0)).tobytes() for title in ("ü", "Ł", "Ж", "Ω", "\ue000")}
    assert len(set(sheets.values())) == len(sheets)


def _written(letter, anchor):
    """A letter in white on black, 30 × 30 pixels, as the sheet writes it at a side."""
    patch = Image.new("L", (30, 30))
    place = {"lm": (5, 15), "rm": (25, 15), "ma": (15, 3), "md": (15, 27)}[anchor]
    ImageDraw.Draw(patch).text(place, letter, 255, ImageFont.load_default(size=15), anchor=anchor)
    return np.asarray(patch).astype(float)


def test_letters_name_the_sides():
    """Air alone, so that nothing but the letters is bright; 64 × 64 mm make pictures of 320 × 320."""
    sheet = _sheet(np.full((30, 64, 64), -1.0, np.float32), None, "", (2.0, 1.0, 1.0)).sum(-1).astype(float)
    first, coronal = (8, 42), (8 + 3 * 328, 42 + 2 * 328)
    for (left, top), height, letters in ((first, 320, "APRL"), (coronal, 300, "SIRL")):
        middle = top + height // 2
        patches = {
            "ma": (top, left + 145),
            "md": (top + height - 30, left + 145),
            "lm": (middle - 15, left),
            "rm": (middle - 15, left + 290),
        }
        for (anchor, (row, column)), letter in zip(patches.items(), letters, strict=True):
            patch = sheet[row : row + 30, column : column + 30]
            match = {each: np.corrcoef(patch.ravel(), _written(each, anchor).ravel())[0, 1] for each in "APRLSI"}
            assert max(match, key=match.get) == letter, (letter, match)
            assert match[letter] > 0.9


def test_an_organ_that_is_missing_is_shown_empty(case):
    images, labels = case
    full = _sheet(images, labels, "", (5.0, 2.0, 2.0))[:34]
    without = _sheet(images, np.where(labels == SPLEEN, 0, labels), "", (5.0, 2.0, 2.0))[:34]
    # A square of 15 pixels, filled where the organ is there and outlined where it is not.
    for sheet, filled, outlined in ((full, 2, 2), (without, 1, 3)):
        areas = [int((np.abs(sheet - rgb(colour)) < 4).all(-1).sum()) for colour in ABDOMEN.colours.values()]
        assert sorted(areas) == [56] * outlined + [225] * filled


def test_a_long_title_ends_before_the_legend(case):
    images, labels = case
    short, long = (_sheet(images, labels, title, (5.0, 2.0, 2.0))[:34] for title in ("case", "case-" + "w" * 300))
    legend = np.nonzero((np.abs(short - rgb(ABDOMEN.colours["liver"])) < 4).all(-1))[1].min() - 8
    np.testing.assert_array_equal(short[:, legend:], long[:, legend:])
    assert (long[:, legend - 60 : legend] > 100).any()


def test_few_slices_leave_room_for_the_letters():
    flat = _sheet(np.zeros((3, 64, 64), np.float32), None, "", (1.0, 1.0, 1.0))
    # Three pictures and the cut stand in one row.
    cut = flat[42 : 42 + 120, 8 + 3 * 328 + 60 : 8 + 3 * 328 + 120].max(axis=(1, 2))
    # 3 mm of 64 are 15 of 320 pixels, in the middle of 120.
    grey = np.flatnonzero(cut > 100)
    assert 13 <= len(grey) <= 17
    assert abs(grey.mean() - 59.5) <= 1


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
    page = preview_page(ABDOMEN, entries, [("chaos-2", "scan.dcm: expected <a> & found b; copy it")])
    assert 'src="a.png"' in page
    assert "train, 5 of 6 slices" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "expected &lt;a&gt; &amp; found b" in page
    assert "http://" not in page
    assert "https://" not in page


def test_given_volumes_stand_in_the_legend_and_slices_are_those_with_organs(case):
    images, labels = case
    images[:] = np.linspace(-0.5, 0.5, 12)[:, None, None]
    spacing_mm = (5.0, 2.0, 2.0)
    measured = {"liver": 1234.0, "right_kidney": 0.0, "left_kidney": 0.0, "spleen": 7.0}
    whole, narrowed = (
        draw_contact_sheet(ABDOMEN, images, labels, "case-1", spacing_mm, given) for given in (None, measured)
    )
    heights = [Image.open(io.BytesIO(sheet)).size[1] for sheet in (whole, narrowed)]
    # Twelve tiles in three rows; seven slices, 3 to 9, and the coronal cut are two.
    assert heights[0] > 1.3 * heights[1]
    by_voxels = {"liver": labels == LIVER, "spleen": labels == SPLEEN}
    same = {organ: float(by_voxels[organ].sum()) * 0.02 if organ in by_voxels else 0.0 for organ in measured}
    assert draw_contact_sheet(ABDOMEN, images, labels, "case-1", spacing_mm, same) != narrowed
