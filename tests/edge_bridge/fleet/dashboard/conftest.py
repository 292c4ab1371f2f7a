"""One browser and one fleet of 240 packs for a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.edge_bridge.fleet.dashboard.browser import Page, open_browser
from tests.edge_bridge.fleet.dashboard.demo_fleet import fill_fleet
from tests.edge_bridge.fleet.dashboard.serving import ServedDashboard, read_now_ms

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Generator[Page]:
    with open_browser(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Generator[ServedDashboard]:
    path = tmp_path_factory.mktemp("fleet") / "fleet.db"
    fill_fleet(path, 240, read_now_ms())
    served = ServedDashboard(path)
    served.start()
    yield served
    served.stop()


@pytest.fixture
def page(browser: Page, fleet: ServedDashboard) -> Page:
    """The dashboard as it opens, dark, at 1366x768."""
    browser.resize(1366, 768)
    browser.prefer(prefers_color_scheme="dark")
    browser.open(fleet.url)
    browser.find(".grid-body .grid-row")
    browser.console()
    return browser
