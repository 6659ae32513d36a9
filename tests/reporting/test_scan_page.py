"""The page of one scan: the right voxel at the right place, within its bytes, and nothing of whom it shows."""

import base64
import io
import json
import zlib

import nibabel
import nibabel.orientations as orientations
import numpy as np
import pytest
from PIL import Image

from attent_tf.errors import InputError
from attent_tf.reporting.palette import rgb
from attent_tf.reporting.scan_page import IndexedScan, write_scan_index, write_scan_page
from attent_tf.reporting.scan_windows import CT_WINDOWS, windows_of
from attent_tf.volumes import Volume
from tests.reporting.browser import opened
from tests.support.abdomen import ABDOMEN, LIVER, SPLEEN

SHAPE = (48, 40, 9)
# In RAS+: the first axis runs to the patient's right. A liver at the right in front, a spleen at the left behind, higher up.
LIVER_BOX = np.s_[34:40, 26:32, 2:4]
SPLEEN_BOX = np.s_[8:12, 8:14, 5:7]


def scan(codes="LAS", domain="ct", path=""):
    """A scan of air, body and two organs, stored along the given axes, and its label map."""
    voxels = np.full(SHAPE, -1000, np.int16)
    voxels[4:44, 4:36] = 40
    labels = np.zeros(SHAPE, np.uint8)
    for place, label in ((LIVER_BOX, LIVER), (SPLEEN_BOX, SPLEEN)):
        labels[place], voxels[place] = label, 140
    affine = np.diag([2.0, 3.0, 5.0, 1.0])
    turn = orientations.ornt_transform(orientations.axcodes2ornt("RAS"), orientations.axcodes2ornt(tuple(codes)))
    stored = [nibabel.Nifti1Image(array, affine).as_reoriented(turn) for array in (voxels, labels)]
    read, found = (np.asanyarray(image.dataobj) for image in stored)
    return Volume(read, stored[0].affine, "case", ABDOMEN.domain(domain), path=path), found


def write(path, volume, labels, **options):
    volumes = dict.fromkeys(ABDOMEN.structure_names, 0.0) | {"liver": 1234.56}
    write_scan_page(path, volume, labels, ABDOMEN, "labels", "AttENT, mri2ct", volumes, **options)


def contents(page):
    """The index, and the layers of the only case."""
    return [
        json.loads(text) for attributes, text in page.find("script") if attributes.get("type") == "application/json"
    ]


def label_map(index, layers):
    case = index["cases"][0]
    found = np.frombuffer(zlib.decompress(base64.b64decode(layers["methods"][0]["prediction"])), np.uint8)
    return found.reshape(case["slices"], case["rows"], case["columns"])


@pytest.mark.parametrize("codes", ["LAS", "RPI", "ASL"])
def test_structures_lie_where_they_are_however_a_scan_is_stored(codes, tmp_path, read_page):
    write(tmp_path / "page.html", *scan(codes))
    index, layers = contents(read_page(tmp_path / "page.html"))
    found = label_map(index, layers)
    assert len(found) == 9
    assert index["cases"][0]["pixelRatio"] == pytest.approx(1.5)
    for place, label in ((LIVER_BOX, LIVER), (SPLEEN_BOX, SPLEEN)):
        slices, rows, columns = (set(axis.tolist()) for axis in np.nonzero(found == label))
        assert slices == set(range(9)[place[2]])
        # The body is all that is shown, with six voxels of air: here all 48 columns and 40 rows.
        assert found.shape[1:] == (40, 48)
        assert columns == {47 - x for x in range(48)[place[0]]}
        assert rows == {39 - y for y in range(40)[place[1]]}
    grey = np.asarray(Image.open(io.BytesIO(base64.b64decode(layers["windows"][0][2]))).convert("L")).astype(int)
    # Of the soft tissue window 40 HU is the middle, and 140 HU is three quarters.
    assert abs(grey[20, 24] - 127) < 8
    assert abs(grey[10, 10] - 191) < 12
    assert grey[0, 0] < 8


def test_windows_are_those_of_the_kind_of_scan():
    assert windows_of(scan()[0]) == CT_WINDOWS
    np.testing.assert_array_equal(CT_WINDOWS[0].grey(np.array([-3000, -160, 40, 240, 3000])), [0, 0, 128, 255, 255])
    volume = scan(domain="mri")[0]
    assert [window.low < window.high for window in windows_of(volume)] == [True] * len(windows_of(volume))
    assert (windows_of(volume)[-1].low, windows_of(volume)[-1].high) == (-1000, 140)


def test_a_page_keeps_to_its_bytes_and_the_label_map_stays_whole(tmp_path, read_page):
    volume, labels = scan()
    noise = np.random.default_rng(0).normal(0, 200, volume.shape)
    volume.voxels[:] = volume.voxels + noise.astype(np.int16)
    write(tmp_path / "large.html", volume, labels)
    write(tmp_path / "small.html", volume, labels, page_bytes=22_000)
    large, small = (contents(read_page(tmp_path / name)) for name in ("large.html", "small.html"))
    sizes = [len(json.dumps(layers)) for _, layers in (large, small)]
    assert sizes[1] < 25_000 < sizes[0]
    np.testing.assert_array_equal(label_map(*large), label_map(*small))
    assert "so that the page stays small" in (tmp_path / "small.html").read_text()


def test_another_scan_is_one_line_and_no_page(tmp_path):
    volume, labels = scan(path="/patients/DOE^JANE/scan.nii.gz")
    with pytest.raises(InputError, match=r"^/patients/.*: expected .*, found .*; [a-z ]+$"):
        write(tmp_path / "page.html", volume, labels[1:])
    assert not list(tmp_path.iterdir())
    write(tmp_path / "page.html", volume, labels, warnings=["the scan: <b>odd</b>"])
    text = (tmp_path / "page.html").read_text()
    assert "DOE" not in text
    assert "&lt;b&gt;odd" in text
    assert "1234.6" in text


def test_the_index_leads_to_the_pages(tmp_path, read_page):
    volumes = dict.fromkeys(ABDOMEN.structure_names, 10.0) | {"spleen": 0.0}
    line = IndexedScan("a b", "a b_page.html", volumes, 2)
    write_scan_index(tmp_path / "index.html", ABDOMEN, "Abdomen", [line], ["broken.nii.gz"])
    page = read_page(tmp_path / "index.html")
    assert [(attributes["href"], text) for attributes, text in page.find("a")] == [("a%20b_page.html", "a b")]
    text = (tmp_path / "index.html").read_text()
    assert "broken.nii.gz" in text
    assert text.count("not found") == 1


@pytest.fixture(scope="module")
def browser():
    yield from opened()


def pixel(browser, pane, row, column):
    """Colour [3] at the middle of a pixel of the slice, once it has been painted."""
    browser.driver.execute_async_script(
        "requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(arguments[0]), 60))"
    )
    script = """
      const canvas = document.querySelector(`figure[data-pane=${arguments[0]}] canvas`);
      const x = Math.floor((arguments[2] + 0.5) / 48 * canvas.width);
      const y = Math.floor((arguments[1] + 0.5) / 40 * canvas.height);
      return [...canvas.getContext('2d').getImageData(x, y, 1, 1).data].slice(0, 3);"""
    return np.array(browser.run(script, pane, row, column))


@pytest.mark.slow
def test_a_reader_sees_the_liver_at_the_left_of_its_slice_and_can_change_what_is_shown(browser, tmp_path):
    write(tmp_path / "page.html", *scan("ASL"))
    browser.open(tmp_path / "page.html")
    where = "return document.querySelector('[data-part=where]').textContent"
    # The slice with the most structure: slices 3 and 4 have the liver.
    assert browser.run(where) == "slice 3 of 9"
    browser.driver.find_element("css selector", ".stage").click()
    browser.press("o")
    plain, painted = pixel(browser, "image", 10, 10), pixel(browser, "prediction", 10, 10)
    assert np.ptp(plain) < 6
    colour = np.array(rgb(ABDOMEN.colours["liver"]))
    np.testing.assert_allclose(painted, plain + 0.22 * (colour - plain), atol=8)
    np.testing.assert_allclose(pixel(browser, "prediction", 10, 37), pixel(browser, "image", 10, 37), atol=2)
    for _ in range(8):
        browser.press("+")
    np.testing.assert_allclose(pixel(browser, "prediction", 10, 10), colour, atol=8)
    browser.driver.find_element("css selector", f"button[data-structure='{LIVER}']").click()
    np.testing.assert_allclose(pixel(browser, "prediction", 10, 10), plain, atol=8)
    # In the lung window both tissues are nearly white.
    browser.press("v", "v")
    assert pixel(browser, "image", 10, 10).min() > 235


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_pages_fit_a_telephone(browser, scheme, tmp_path):
    write(tmp_path / "labels_page.html", *scan())
    line = IndexedScan("labels", "labels_page.html", dict.fromkeys(ABDOMEN.structure_names, 10.0), 0)
    write_scan_index(tmp_path / "index.html", ABDOMEN, "Abdomen", [line], [])
    for name in ("labels_page.html", "index.html"):
        browser.open(tmp_path / name, width=360, scheme=scheme)
        assert browser.run("return document.documentElement.scrollWidth") <= 360
        dark = sum(map(int, browser.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g)"))) < 200
        assert dark == (scheme == "dark")
        if name != "index.html":
            browser.driver.find_element("css selector", ".stage").click()
            browser.press("wvs+-12of")
        console, sent = browser.logs()
        assert not console
        asked = {url.split("?")[0] for url in sent if not url.startswith(("data:", "blob:"))}
        assert asked == {(tmp_path / name).as_uri()}
