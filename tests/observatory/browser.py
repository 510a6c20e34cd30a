"""A browser without a window, as a person at the page would use it."""

import json
import shutil
from contextlib import contextmanager

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains

from cli.web.client import TIMEOUT, until

SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

# What the lights, or a curve, amount to: the mean brightness of a canvas on its ground, 0 to 255.
BRIGHTNESS = """
const canvas = document.getElementById(arguments[0]);
const copy = document.createElement("canvas");
copy.width = canvas.width;
copy.height = canvas.height;
const context = copy.getContext("2d", { willReadFrequently: true });
context.fillStyle = getComputedStyle(canvas.parentElement).backgroundColor;
context.fillRect(0, 0, copy.width, copy.height);
context.drawImage(canvas, 0, 0);
const { data } = context.getImageData(0, 0, copy.width, copy.height);
let sum = 0;
for (let index = 0; index < data.length; index += 4) {
  sum += data[index] + data[index + 1] + data[index + 2];
}
return sum / (3 * data.length / 4);
"""
AFTER_TWO_FRAMES = (
    "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(arguments[0])))"
)


class Browser:
    """A page in Chromium."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, url, *, scheme="dark", motion="no-preference", width=1000, height=800):
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": motion}
        self.command(
            "Emulation.setEmulatedMedia",
            features=[{"name": name, "value": value} for name, value in features.items()],
        )
        self.driver.get(url)

    def command(self, name, **arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def draw(self):
        """Let the page draw what has changed."""
        self.driver.execute_async_script(AFTER_TWO_FRAMES)

    def text(self, name):
        return self.run("return document.getElementById(arguments[0]).textContent", name)

    def label(self, name):
        return self.run("return document.getElementById(arguments[0]).ariaLabel", name)

    def has(self, name, text):
        until(lambda: self.text(name) == text)

    def brightness(self, name):
        self.draw()
        return self.run(BRIGHTNESS, name)

    def colour(self, of="body"):
        script = "return getComputedStyle(document.querySelector(arguments[0])).backgroundColor"
        return self.run(script, of)

    # --- hands ---

    def press(self, *keys, holding=""):
        hands = ActionChains(self.driver)
        for modifier in holding:
            hands.key_down(modifier)
        hands.send_keys(*keys)
        for modifier in holding:
            hands.key_up(modifier)
        hands.perform()

    def click(self, name):
        self.driver.find_element("id", name).click()

    def slide(self, seconds):
        self.run(
            "const slider = document.getElementById('slider'); slider.value = arguments[0];"
            "slider.dispatchEvent(new Event('input'))",
            seconds,
        )
        self.draw()

    def focused(self):
        return self.driver.switch_to.active_element.get_attribute("id")

    # --- what a developer would look at ---

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """Return what pages asked for since the last time: pairs of the page and the other place."""
        logged = [json.loads(entry["message"]) for entry in self.driver.get_log("performance")]
        messages = [each["message"] for each in logged]
        asked = [each for each in messages if each["method"] == "Network.requestWillBeSent"]
        return [(each["params"]["documentURL"], each["params"]["request"]["url"]) for each in asked]


@contextmanager
def chromium(folder):
    """Give a browser with a profile of its own; skip where there is none."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (program and driver):
        pytest.skip("Chromium and its driver are not on this machine: see `make services`")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for switch in (*SWITCHES, f"--user-data-dir={folder}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    window = webdriver.Chrome(options=options, service=Service(driver))
    window.set_script_timeout(TIMEOUT)
    try:
        yield Browser(window)
    finally:
        window.quit()
