"""With the keyboard alone: a renewed page takes neither the focus nor the place, and the focus is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.edge_bridge.fleet.dashboard.browser import ENTER, ESCAPE, TAB
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.edge_bridge.fleet.dashboard.browser import Page
    from tests.edge_bridge.fleet.dashboard.serving import ServedDashboard

pytestmark = pytest.mark.live
RENEW: Final = """
const [list] = arguments;
document.querySelector(list).setAttribute("data-before", "");
document.querySelector(list).firstElementChild.setAttribute("data-old", "");
document.dispatchEvent(new CustomEvent("shortcut", {detail: "r"}));
"""
IS_NEW: Final = "return !document.querySelector('[data-old]')"
SEEN: Final = """
const one = document.activeElement, style = getComputedStyle(one);
return one === document.body || style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
  || one.matches("main") || one.matches(".skip");
"""
REACHED: Final = (
    "const one = document.activeElement; return [one.id || one.innerText?.slice(0, 30) || one.tagName, one.tagName]"
)


@pytest.mark.parametrize(
    ("route", "link", "list_"),
    [
        ("#/alarms", ".alarm:nth-child(3) a", "main ul"),
        ("#/alarms", ".alarm:nth-child(2) [data-alarm]", "main ul"),
        ("#/sites", "tr:nth-child(2) a", "main .scroll"),
    ],
)
def test_a_renewed_page_leaves_the_focus(page: Page, fleet: ServedDashboard, route: str, link: str, list_: str) -> None:
    page.open(fleet.url + route)
    page.find(link)
    page.run("document.querySelector(arguments[0]).focus()", link)
    before = page.run("return document.activeElement.outerHTML")
    page.run(RENEW, list_)
    wait_until(lambda: page.run(IS_NEW), what="a renewed list", every_s=0.05)
    assert page.run("return document.activeElement.outerHTML") == before


def test_a_table_that_was_moved_sideways_stays_there(page: Page, fleet: ServedDashboard) -> None:
    page.resize(390, 844)
    page.open(f"{fleet.url}#/sites")
    page.find("tbody tr")
    page.run("document.querySelector('.scroll').scrollLeft = 150")
    page.run(RENEW, ".scroll")
    wait_until(lambda: page.run(IS_NEW), what="a renewed table", every_s=0.05)
    assert page.run("return document.querySelector('.scroll').scrollLeft") == 150


@pytest.mark.parametrize("route", ["#/fleet", "#/pack/lyon-0001", "#/alarms", "#/sites", "#/analytics"])
def test_each_control_is_reached_and_shows_its_focus(page: Page, fleet: ServedDashboard, route: str) -> None:
    page.open(fleet.url + route)
    page.find("main h1, main .tools, main .tiles")
    wait_until(lambda: page.run("return document.querySelector('main').innerText.length > 60"), what="the page")
    wanted = page.run(
        "return [...document.querySelectorAll('button, select, input, a[href], [tabindex=\"0\"]')]"
        ".filter((one) => one.offsetParent && one.tabIndex >= 0 && !one.disabled && one.type !== 'hidden').length"
    )
    reached = set[str]()
    for _ in range(wanted + 5):
        page.press(TAB)
        assert page.run(SEEN), page.run(REACHED)
        if page.run("return document.activeElement === document.body"):
            break
        reached.add(page.run("return [...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    assert len(reached) >= min(wanted, 12)


@pytest.mark.parametrize("opened", ["?", "acknowledge"])
def test_escape_closes_a_dialog_and_the_focus_returns(page: Page, fleet: ServedDashboard, opened: str) -> None:
    page.open(f"{fleet.url}#/alarms")
    page.find("[data-alarm]")
    selector = "#help" if opened == "?" else "[data-alarm]"
    page.run("document.querySelector(arguments[0]).focus()", selector)
    page.press(ENTER)
    page.find("dialog[open]")
    page.press(ESCAPE)
    wait_until(lambda: not page.run("return document.querySelector('dialog')"), what="a closed dialog")
    assert page.run("return document.activeElement.matches(arguments[0])", selector)
