"""Every page at the widths of a telephone to a desk, in both themes: nothing is cut off, and axe-core finds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.edge_bridge.fleet.dashboard.browser import find_axe
from tests.edge_bridge.fleet.dashboard.demo_fleet import HOSTILE

if TYPE_CHECKING:
    from tests.edge_bridge.fleet.dashboard.browser import Page
    from tests.edge_bridge.fleet.dashboard.serving import ServedDashboard

pytestmark = pytest.mark.live
WIDTHS: Final = ((390, 844), (768, 1024), (1366, 768), (1920, 1080))
ROUTES: Final = {
    "#/fleet": ".grid-body .grid-row",
    "#/pack/lyon-0001": ".plot-box canvas",
    "#/pack/turku-0003": ".columns ol li",
    f"#/pack/{HOSTILE}": ".columns .pairs",
    "#/pack/nobody": ".empty",
    "#/alarms": ".alarm",
    "#/sites": "tbody tr",
    "#/analytics": ".plot-box canvas",
    "#/login": "form",
}
CUT: Final = """
return [...document.querySelectorAll("button, .tile .value, h1:not(.visually-hidden)")]
  .filter((one) => one.offsetParent && one.scrollWidth > one.clientWidth + 1)
  .filter((one) => getComputedStyle(one).display !== "inline")
  .map((one) => one.innerText);
"""
FLAT: Final = """
return [...document.querySelector("main").children]
  .filter((one) => getComputedStyle(one).display !== "none" && one.scrollHeight > one.clientHeight + 2)
  .filter((one) => one.role !== "grid" && !one.matches(".visually-hidden")).map((one) => one.className);
"""
AXE: Final = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
  .then((found) => done(found.violations.map((one) => [one.id, one.nodes.map((node) => node.html.slice(0, 160))])))
  .catch((error) => done([["failed", String(error)]]));
"""


@pytest.mark.parametrize("route", ROUTES)
def test_a_page_fits_every_width_and_reads_well_in_both_themes(page: Page, fleet: ServedDashboard, route: str) -> None:
    page.open(fleet.url + route)
    page.find(ROUTES[route])
    page.run(find_axe())
    for theme in ("dark", "light"):
        page.prefer(prefers_color_scheme=theme, prefers_reduced_motion="reduce")
        for width, height in WIDTHS:
            page.resize(width, height)
            assert page.overflow() <= 0, (width, theme)
            cut: list[Any] = page.run(CUT)
            assert cut == [], (width, theme)
            flat: list[str] = page.run(FLAT)
            assert flat == [], (width, theme)
        found: list[Any] = page.driver.execute_async_script(AXE)
        assert found == [], theme
    page.resize(390, 844)
    assert page.driver.execute_async_script(AXE) == []


def test_dialogs_read_well(page: Page, fleet: ServedDashboard) -> None:
    page.open(f"{fleet.url}#/alarms")
    page.click("[data-alarm]")
    page.find("dialog[open]")
    page.run(find_axe())
    page.resize(390, 844)
    assert page.overflow() <= 0
    assert page.driver.execute_async_script(AXE) == []
