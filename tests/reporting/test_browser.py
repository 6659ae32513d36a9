"""The report in a real browser: what its script does, and whether people can see and reach everything."""

import numpy as np
import pytest

from attent_tf.evaluation.case_result import CaseResult
from attent_tf.evaluation.folder import write_evaluation
from attent_tf.metrics.protocols import DEFAULT_PROTOCOL
from attent_tf.reporting.palette import DISAGREEMENT_COLOURS, rgb
from attent_tf.reporting.report import write_report
from attent_tf.reporting.sources import EvaluationForReport
from tests.reporting.browser import CHROMIUMS, Browser, find_programs
from tests.reporting.conftest import BOXES, case_result, signs_of
from tests.support.abdomen import ABDOMEN, CLASS_NAMES, LIVER, SPLEEN
from tests.support.amos_task import AMOS, columns_of_structures

pytest.importorskip("selenium", reason="needs selenium (make dev)")
PROGRAMS = find_programs()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        PROGRAMS is None, reason=f"needs a Chromium ({', '.join(CHROMIUMS)}) and chromedriver on the path"
    ),
]

VIEWER = "sectionmri2ct-viewer"
SLICES = 14


@pytest.fixture(scope="module")
def browser():
    started = Browser(*PROGRAMS)
    yield started
    started.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A report of two methods one way and of one the other way; AttENT misses a spleen in the case `worst`."""
    folder = tmp_path_factory.mktemp("browser")
    places = []
    for method, direction, cases in (
        (
            "source_only",
            "mri2ct",
            [case_result("best", shift=2, slices=SLICES), case_result("worst", shift=9, slices=SLICES)],
        ),
        ("attent", "mri2ct", [case_result("best", slices=SLICES), case_result("worst", [SPLEEN], 3, slices=SLICES)]),
        ("attent", "ct2mri", [case_result("bare", reference=False, translated=False, slices=3)]),
        ("one", "label files", [case_result("shared"), case_result("alone", shift=9)]),
        ("other", "label files", [case_result("shared", shift=1)]),
    ):
        header = {"method": method, "direction": direction, "protocol": DEFAULT_PROTOCOL, "seed": 0}
        header["warnings"] = ["The translation stage was stopped at step 1 of 2."]
        if direction == "mri2ct":
            header["signs"] = signs_of(liver=0.1) if method == "source_only" else signs_of()
        run = folder / f"{method}-{direction}"
        (run / "segmentation").mkdir(parents=True)
        (run / "segmentation" / "history.csv").write_text("step,loss\n1,2.5\n2,1.5\n")
        (run / "config.yaml").write_text(f"a_long_line: {'x' * 300}\n")
        write_evaluation(run / "evaluation", ABDOMEN, header, cases)
        places.append(EvaluationForReport(run / "evaluation", run))
        if direction == "label files":
            for path in (run / "evaluation" / "cases").iterdir():
                arrays = dict(np.load(path))
                np.savez(path, **{name: arrays[name] for name in ("prediction", "reference", "spacing_mm")})
    write_report(folder / "index.html", places, "A report with a title that takes more than one line on a telephone")
    return folder / "index.html"


@pytest.fixture
def opened(browser, page):
    """The page freshly opened, with the stage of its first viewer in the middle of the window."""
    browser.open(page)
    browser.run(f"document.querySelector('#{VIEWER} .stage').scrollIntoView({{block: 'center'}})")
    return browser


def part(browser, name):
    return browser.driver.find_element("css selector", f"#{VIEWER} [data-part={name}]")


def slice_number(browser):
    return int(part(browser, "slice").get_attribute("value"))


def shown_case(browser):
    selected = f"return document.querySelector('#{VIEWER} [data-part=case]').selectedOptions[0].textContent"
    return browser.run(selected).split()[1].rstrip(":")


def pane(browser, name, place):
    """Colour [3] of a pane at (row, column) of the slice, once it has been painted."""
    script = f"""
      const canvas = document.querySelector('#{VIEWER} figure[data-pane={name}] canvas');
      const x = Math.floor((arguments[1] + 0.5) / arguments[3] * canvas.width);
      const y = Math.floor((arguments[0] + 0.5) / arguments[2] * canvas.height);
      return [...canvas.getContext('2d').getImageData(x, y, 1, 1).data].slice(0, 3);"""
    # The body that `case_result` draws, with its margin: rows 2 to 45, all columns.
    return np.array(browser.run(script, place[0] - 2, place[1], 44, 48))


def settle(browser):
    """Waits until two frames have passed, so that what was asked for is painted."""
    browser.driver.execute_async_script(
        "requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(arguments[0]), 60))"
    )


def test_the_page_asks_for_nothing_and_complains_of_nothing(opened, page):
    opened.driver.find_element("css selector", f"#{VIEWER} .stage").click()
    opened.press("npmwof123456123456")
    settle(opened)
    console, sent = opened.logs()
    assert not console
    assert {url.split("?")[0] for url in sent if not url.startswith(("data:", "blob:"))} == {page.as_uri()}


def test_worst_case_opens_at_its_worst_slice(opened):
    assert shown_case(opened) == "worst"
    assert slice_number(opened) == 2
    assert part(opened, "where").text == f"slice 3 of {SLICES}"
    assert part(opened, "dice").text.startswith("AttENT: mean Dice ")


def test_keys_turn_slices(opened):
    from selenium.webdriver.common.keys import Keys

    part(opened, "stage").click()
    seen = []
    for key in (
        Keys.ARROW_UP,
        Keys.ARROW_RIGHT,
        Keys.ARROW_DOWN,
        Keys.ARROW_LEFT,
        Keys.END,
        Keys.PAGE_DOWN,
        Keys.PAGE_UP,
        Keys.HOME,
    ):
        opened.press(key)
        seen.append(slice_number(opened))
    last = SLICES - 1
    assert seen == [3, 4, 3, 2, last, last - 10, last, 0]
    opened.press(Keys.ARROW_DOWN)
    assert slice_number(opened) == 0
    opened.press("w")
    assert slice_number(opened) == 2
    assert part(opened, "slice").get_attribute("aria-valuetext") == f"slice 3 of {SLICES}"


def test_keys_change_case_method_and_panes(opened):
    part(opened, "stage").click()
    opened.press("n")
    opened.wait(f"return document.querySelector('#{VIEWER} [data-part=case]').value === '1'")
    assert shown_case(opened) == "best"
    opened.press("p")
    opened.wait(f"return document.querySelector('#{VIEWER} [data-part=case]').value === '0'")
    opened.press("m")
    opened.wait(f"return document.querySelector('#{VIEWER} [data-part=dice]').textContent.startsWith('Source only')")
    translated = opened.driver.find_element("css selector", f"#{VIEWER} figure[data-pane=translated]")
    button = opened.driver.find_element("css selector", f"#{VIEWER} button[data-pane=translated]")
    assert translated.is_displayed()
    opened.press("2")
    assert not translated.is_displayed()
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert translated.is_displayed()


def test_wheel_belongs_to_the_page_until_the_viewer_is_entered(opened):
    stage = part(opened, "stage")
    before = opened.run("return scrollY")
    opened.turn_wheel(stage, 60)
    opened.wait(f"return scrollY !== {before}")
    assert slice_number(opened) == 2
    stage.click()
    before = opened.run("return scrollY")
    opened.turn_wheel(stage, -120)
    assert slice_number(opened) == 3
    opened.turn_wheel(stage, 120)
    opened.turn_wheel(stage, 120)
    assert slice_number(opened) == 1
    assert opened.run("return scrollY") == before
    # A touch pad sends small steps.
    for _ in range(5):
        opened.turn_wheel(stage, -10)
    assert slice_number(opened) == 2


def test_slider_and_lists_serve_those_without_keys(opened):
    opened.run(
        "const slider = arguments[0]; slider.value = 7; slider.dispatchEvent(new Event('input', {bubbles: true}))",
        part(opened, "slice"),
    )
    assert part(opened, "where").text == f"slice 8 of {SLICES}"
    opened.driver.find_element("css selector", f"#{VIEWER} button[data-act=nextCase]").click()
    opened.wait(f"return document.querySelector('#{VIEWER} [data-part=case]').value === '1'")
    assert shown_case(opened) == "best"


def test_focus_goes_through_the_viewer_and_out_again(opened):
    from selenium.webdriver.common.keys import Keys

    part(opened, "stage").click()
    inside = f"return document.getElementById('{VIEWER}').contains(document.activeElement)"
    assert opened.run(inside)
    for _ in range(4):
        opened.press(Keys.TAB)
    assert not opened.run(inside)
    part(opened, "stage").click()
    opened.press(Keys.ESCAPE)
    assert not opened.run(inside)


def test_case_in_the_table_opens_it(opened):
    opened.driver.find_element("css selector", "#sectionmri2ct table a[data-case='1']").click()
    opened.wait(f"return document.querySelector('#{VIEWER} [data-part=case]').value === '1'")
    assert opened.run(f"return document.activeElement.closest('.viewer')?.id === '{VIEWER}'")


def test_panes_show_what_was_evaluated(opened):
    """Colours at places that the boxes of the synthetic case give by hand."""
    opened.driver.find_element("css selector", f"#{VIEWER} button[data-overlay=outline]").click()
    settle(opened)
    middle = {organ: sum(BOXES[organ]) // 2 for organ in BOXES}
    for organ, column in middle.items():
        plain = pane(opened, "image", (22, column))
        colour = np.array(rgb(ABDOMEN.colours[CLASS_NAMES[organ]]))
        expected = plain + 56 / 255 * (colour - plain)
        np.testing.assert_allclose(pane(opened, "reference", (22, column)), expected, atol=6)
        # The spleen is missed.
        found = pane(opened, "prediction", (22, column))
        np.testing.assert_allclose(found, plain if organ == SPLEEN else expected, atol=6)
    # The prediction lies three rows lower than the reference: rows 12 to 14 are missing, rows 30 to 32 added.
    liver, spleen = middle[LIVER], middle[SPLEEN]
    for place, kind in (((13, liver), "missing"), ((22, spleen), "missing")):
        np.testing.assert_allclose(pane(opened, "disagreement", place), rgb(DISAGREEMENT_COLOURS[kind]), atol=40)
    added = max((pane(opened, "disagreement", (31, liver + step)) for step in range(4)), key=np.sum)
    np.testing.assert_allclose(added, rgb(DISAGREEMENT_COLOURS["added"]), atol=40)
    assert np.ptp(pane(opened, "disagreement", (22, liver))) < 12


def test_a_case_without_labels_has_no_panes_of_them(browser, page):
    browser.open(page)
    there = browser.run(
        "return [...document.querySelectorAll('#sectionct2mri-viewer figure:not([hidden])')].map((f) => f.dataset.pane)"
    )
    assert there == ["image", "prediction", "entropy"]


def test_label_files_show_without_an_image_and_methods_without_the_case_cannot_be_chosen(browser, page):
    browser.open(page)
    viewer = "sectionlabelfiles-viewer"
    there = browser.run(
        f"return [...document.querySelectorAll('#{viewer} figure:not([hidden])')].map((f) => f.dataset.pane)"
    )
    assert there == ["prediction", "reference", "disagreement"]
    disabled = f"return [...document.querySelectorAll('#{viewer} [data-part=method] option')].map((o) => o.disabled)"
    assert browser.run(disabled) == [False, True]
    stage = browser.driver.find_element("css selector", f"#{viewer} .stage")
    stage.click()
    browser.press("m")
    assert browser.run(f"return document.querySelector('#{viewer} [data-part=dice]').textContent").startswith("one: ")
    browser.press("n")
    browser.wait(f"return document.querySelector('#{viewer} [data-part=case]').value === '1'")
    assert browser.run(disabled) == [False, False]
    browser.press("m")
    browser.wait(f"return document.querySelector('#{viewer} [data-part=dice]').textContent.startsWith('other: ')")
    assert not browser.logs()[0]


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_and_nothing_is_wider_than_the_window(browser, page, width, scheme):
    browser.open(page, width, scheme)
    browser.run("for (const fold of document.querySelectorAll('details')) fold.open = true")
    settle(browser)
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    weak = browser.run(WEAK_TEXT)
    assert not weak


def test_switch_overrules_the_system(browser, page):
    browser.open(page, scheme="light")
    light = browser.run("return getComputedStyle(document.body).backgroundColor")
    browser.driver.find_element("css selector", "label:has(#theme-dark)").click()
    dark = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert dark != light
    assert not browser.run(WEAK_TEXT)
    browser.open(page, scheme="dark")
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == dark
    browser.driver.find_element("css selector", "label:has(#theme-light)").click()
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == light


def test_a_browser_that_cannot_unpack_says_so(browser, page):
    command = browser.driver.execute_cdp_cmd
    old = command("Page.addScriptToEvaluateOnNewDocument", {"source": "delete window.DecompressionStream"})
    try:
        browser.driver.get(page.as_uri())
        browser.wait(
            f"return document.querySelector('#{VIEWER} [data-part=hint]').textContent.includes('cannot unpack')"
        )
    finally:
        command("Page.removeScriptToEvaluateOnNewDocument", old)


def test_scores_read_without_scripts(browser, page):
    browser.open(page, scripts=False)
    text = browser.driver.find_element("css selector", "body").text
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "Average Dice" in text
    assert "AttENT, paper" in text
    assert "worst Spleen: predicted nowhere." in text
    assert "The viewer of the slices needs JavaScript" in text
    assert "Outline" not in text


# Every visible text whose contrast to what lies behind it is below 4.5 (WCAG 2.2, level AA).
WEAK_TEXT = """
const channels = (colour) => {
  const numbers = colour.match(/[\\d.]+/g).map(Number);
  return numbers.length < 4 ? [...numbers, 1] : numbers;
};
const light = (colour) => {
  const [r, g, b] = colour.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = channels(getComputedStyle(at).backgroundColor);
    if (colour[3] === 1) return colour;
  }
  return [255, 255, 255, 1];
};
const weak = [];
for (const element of document.querySelectorAll("body *")) {
  const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
  if (!text || element.disabled || !element.checkVisibility() || element.closest("script, noscript")) continue;
  const style = getComputedStyle(element);
  const colour = channels(element.closest("svg") ? style.fill : style.color);
  const [a, b] = [light(colour), light(behind(element))].sort((x, y) => y - x);
  const contrast = (a + 0.05) / (b + 0.05);
  if (contrast < 4.5) weak.push(`${element.tagName} ${text.slice(0, 40)}: ${contrast.toFixed(2)}`);
}
return weak;
"""


@pytest.mark.parametrize("width", [1280, 360])
def test_fifteen_structures_fit(browser, tmp_path, width):
    labels = columns_of_structures(AMOS)
    header = {"method": "attent", "direction": "t12t2", "protocol": DEFAULT_PROTOCOL, "seed": 0}
    write_evaluation(tmp_path / "e", AMOS, header, [CaseResult("a", None, None, labels, (5, 2, 2), reference=labels)])
    write_report(tmp_path / "index.html", [EvaluationForReport(tmp_path / "e")], "Fifteen")
    browser.open(tmp_path / "index.html", width)
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    # Names of structures beside a plot begin within it.
    starts = browser.run(
        "return [...document.querySelectorAll('.plots text')].map((e) => e.getBoundingClientRect().left)"
    )
    assert min(starts) >= 0
    edges = browser.run("""const cell = document.querySelector('.scores tbody tr:nth-child(2) td:last-child');
      return [cell.getBoundingClientRect().right, cell.closest('.scroll').getBoundingClientRect().right]""")
    # The average is in view without scrolling, but on a telephone, where it would hide everything else.
    assert (edges[0] <= edges[1] + 1) == (width == 1280)
