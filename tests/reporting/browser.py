"""A headless Chromium for tests of pages, and what it saw of the page."""

import json
import shutil

import pytest

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find_programs():
    """Returns the paths of a Chromium and of its driver; None where one is missing."""
    browser = next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


class Browser:
    """A headless Chromium; `close` ends it.

    Attributes:
      driver: Selenium's driver.
    """

    def __init__(self, browser, driver):
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for argument in (
            "headless=new",
            "no-sandbox",
            "disable-dev-shm-usage",
            "disable-gpu",
            "force-color-profile=srgb",
        ):
            options.add_argument(f"--{argument}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))

    def close(self):
        self.driver.quit()

    def open(self, path, width=1280, scheme="light", scripts=True):
        """Opens a file in a window of that width (CSS pixels) under a colour scheme, and waits for its viewers."""
        command = self.driver.execute_cdp_cmd
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        command("Emulation.setDeviceMetricsOverride", size)
        command("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        command("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        self.logs()
        self.driver.get(path.as_uri())
        if scripts:
            self.wait("return [...document.querySelectorAll('[data-part=where]')].every((e) => e.textContent)")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, script):
        """Waits until a script returns something true."""
        from selenium.webdriver.support.wait import WebDriverWait

        return WebDriverWait(self.driver, 120, 0.05).until(lambda driver: driver.execute_script(script))

    def press(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def turn_wheel(self, element, pixels):
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

        ActionChains(self.driver, duration=0).scroll_from_origin(
            ScrollOrigin.from_element(element), 0, pixels
        ).perform()

    def logs(self):
        """Returns what the console said, and the addresses that were asked for, since the last call."""
        console = [entry["message"] for entry in self.driver.get_log("browser")]
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return console, sent


def opened():
    """Yields a `Browser` for the tests of a module, which are skipped where there is none: `yield from opened()` in a fixture."""
    programs = find_programs()
    if programs is None:
        pytest.skip(f"needs a Chromium ({', '.join(CHROMIUMS)}) and chromedriver on the path")
    pytest.importorskip("selenium", reason="needs selenium (make dev)")
    started = Browser(*programs)
    yield started
    started.close()
