"""Headless Chromium, driven over its protocol: what a person sees and presses."""

from __future__ import annotations

import base64
import importlib.util
import json
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator

    from selenium.webdriver.remote.webelement import WebElement

CHROMIUM: Final = "/usr/bin/chromium"
DRIVER: Final = "/usr/bin/chromedriver"
AXE_PACKAGE: Final = "axe_playwright_python"  # it brings axe-core 4.12, which knows WCAG 2.2
OPTIONS: Final = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
    *("--force-color-profile=srgb", "--window-size=1366,768"),
)


class Page:
    """The page of a browser."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.get("about:blank")  # a change of the part behind # alone loads nothing
        self.driver.get(url)

    def resize(self, width: int, height: int, scale: float = 1) -> None:
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def prefer(self, **features: str) -> None:
        """Set media features, for instance `prefers_color_scheme="light"`."""
        found = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.command("Emulation.setEmulatedMedia", features=found)

    def command(self, name: str, **values: Any) -> Any:
        return self.driver.execute_cdp_cmd(name, values)

    def run(self, script: str, *values: Any) -> Any:
        return self.driver.execute_script(script, *values)

    def import_module(self, path: str, expression: str) -> Any:
        """Evaluate an expression over `m`, a module of the dashboard."""
        script = "const done = arguments[1]; import(arguments[0]).then((m) => done(JSON.stringify(%s))).catch((e) => done(JSON.stringify({failed: String(e)})))"  # noqa: E501
        return json.loads(self.driver.execute_async_script(script % expression, path))

    def find(self, selector: str) -> WebElement:
        return wait_until(
            lambda: next(iter(self.driver.find_elements(By.CSS_SELECTOR, selector)), None), what=selector, every_s=0.05
        )

    def text(self, selector: str) -> str:
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def wait_text(self, selector: str, words: str) -> None:
        wait_until(lambda: words in self.text(selector), what=f"{words!r} in {selector}", every_s=0.05)

    def press(self, *keys: str) -> None:
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def click(self, selector: str) -> None:
        self.find(selector)
        self.run("document.querySelector(arguments[0]).click()", selector)

    def shoot(self, path: Path) -> None:
        found = self.command("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(found["data"]))

    @property
    def hash(self) -> str:
        return self.run("return location.hash")

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        return self.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def console(self) -> list[str]:
        """Return errors of scripts and of the content policy since the last call."""
        sources = {"javascript", "security", "console-api"}
        return [one["message"] for one in self.driver.get_log("browser") if one["source"] in sources]


@contextmanager
def open_browser(folder: Path) -> Generator[Page]:
    """Open one browser; skip where there is none."""
    for path, package in ((CHROMIUM, "chromium"), (DRIVER, "chromium-driver")):
        if not shutil.which(path):
            pytest.skip(f"{path} is missing: apt-get install {package}")
    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for option in (*OPTIONS, f"--user-data-dir={folder}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=ChromeService(DRIVER))
    try:
        yield Page(driver)
    finally:
        driver.quit()


def find_axe() -> str:
    """Return the source of axe-core; its package is not imported."""
    module = importlib.util.find_spec(AXE_PACKAGE)
    if module is None or module.origin is None:
        pytest.skip("axe-core is missing: pip install axe-playwright-python")
    (found,) = Path(module.origin).parent.rglob("axe.min.js")
    return found.read_text()


ENTER, ESCAPE, DOWN, TAB, END = Keys.ENTER, Keys.ESCAPE, Keys.ARROW_DOWN, Keys.TAB, Keys.END
