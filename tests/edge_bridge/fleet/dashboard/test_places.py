"""The list of one site or group: chosen with the mouse or the keyboard, kept in the address and on the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_bridge.fleet.store.open_store import open_store
from edge_bridge.fleet.store.records import Batch, NodeRecord
from tests.edge_bridge.fleet.dashboard.browser import DOWN, ENTER, ESCAPE, TAB
from tests.edge_bridge.fleet.dashboard.demo_fleet import TRIPPED, fill_fleet
from tests.edge_bridge.fleet.dashboard.serving import ServedDashboard, read_now_ms
from tests.edge_bridge.fleet.dashboard.test_pages import read_rows
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge_bridge.fleet.dashboard.browser import Page

pytestmark = pytest.mark.live
LISTED = "return [...document.querySelector(arguments[0]).options].map((one) => one.innerText)"
CHOOSE = """
const one = document.querySelector(arguments[0]);
one.value = arguments[1];
one.dispatchEvent(new Event("change"));
"""


def wait_site(page: Page, site: str) -> None:
    def is_alone() -> bool:
        rows = read_rows(page)
        return bool(rows) and all(name.startswith(f"{site}-") for name in rows)

    wait_until(is_alone, what=f"the packs of {site} alone", every_s=0.05)


def test_a_site_is_chosen_and_the_address_holds_it(page: Page, fleet: ServedDashboard) -> None:
    wait_until(lambda: len(page.run(LISTED, "#site")) == 5, what="four sites and all", every_s=0.05)
    assert page.run(LISTED, "#site")[:2] == ["all sites", "hamburg (61)"]
    page.run(CHOOSE, "#site", "lyon")
    wait_until(lambda: page.hash == "#/fleet?site=lyon", what="the address")
    wait_site(page, "lyon")
    page.wait_text(".tools", "60 packs")
    assert page.text(".chip:nth-child(1) b") == "0"  # the one that tripped is of another site
    page.open(f"{fleet.url}#/fleet?site=hamburg&state=tripped")
    wait_until(lambda: TRIPPED in read_rows(page), what="the pack that tripped", every_s=0.05)
    assert page.run("return document.querySelector('#site').value") == "hamburg"


def test_a_site_is_chosen_with_the_keyboard_and_is_there_after_a_pack(page: Page) -> None:
    wait_until(lambda: len(page.run(LISTED, "#site")) == 5, what="four sites and all", every_s=0.05)
    page.press("p")
    assert page.run("return document.activeElement.id") == "site"
    page.press("l")
    wait_until(lambda: page.hash == "#/fleet?site=lyon", what="the address")
    wait_site(page, "lyon")
    page.press(ESCAPE)
    for _ in range(8):
        page.press(TAB)
        if page.run("return document.activeElement.getAttribute('role')") == "grid":
            break
    page.press(DOWN, ENTER)
    wait_until(lambda: page.hash.startswith("#/pack/lyon-"), what="the pack")
    page.find(".tiles")
    page.press(ESCAPE)
    wait_until(lambda: page.hash == "#/fleet?site=lyon", what="the site again")
    wait_site(page, "lyon")


def test_a_site_without_packs_and_one_that_nobody_knows_say_so(page: Page, fleet: ServedDashboard) -> None:
    page.open(f"{fleet.url}#/fleet?site=atlantis")
    page.wait_text(".empty", "No pack matches")
    assert page.run("return document.querySelector('#site').value") == "atlantis"
    page.click(".empty button")
    wait_until(lambda: read_rows(page)[:1] == [TRIPPED], what="all packs", every_s=0.05)


def test_the_sites_page_leads_to_the_packs_of_a_site(page: Page, fleet: ServedDashboard) -> None:
    page.open(f"{fleet.url}#/sites")
    page.click("th[scope=row] a[href*=porto]")
    wait_until(lambda: page.hash == "#/fleet?site=porto", what="the address")
    wait_site(page, "porto")


def test_packs_of_no_site_are_a_choice_of_their_own(browser: Page, tmp_path: Path) -> None:
    path = tmp_path / "fleet.db"
    fill_fleet(path, 6, read_now_ms(), measured=0)
    store = open_store(path)
    store.commit(Batch(notes={"stray-1": NodeRecord("stray-1", True, read_now_ms(), {}, "")}))  # noqa: FBT003  # online
    store.close()
    served = ServedDashboard(path)
    served.start()
    try:
        browser.open(f"{served.url}#/fleet")
        browser.find("#site")
        wait_until(lambda: "no site (1)" in browser.run(LISTED, "#site"), what="packs of no site", every_s=0.05)
        assert "no group (1)" in browser.run(LISTED, "#group")
        browser.run(CHOOSE, "#site", "/")
        browser.wait_text(".tools", "1 pack at")
        wait_until(lambda: read_rows(browser) == ["stray-1"], what="the pack alone", every_s=0.05)
        browser.open(f"{served.url}{browser.hash}")
        wait_until(lambda: read_rows(browser) == ["stray-1"], what="the same by the address", every_s=0.05)
        browser.open(f"{served.url}#/sites")
        browser.wait_text("table", "no site")
        browser.click("table a[href*='%2F']")
        wait_until(lambda: read_rows(browser) == ["stray-1"], what="the same by the sites", every_s=0.05)
        browser.click(".grid-row a")
        browser.wait_text("#place", "no site, no group")
    finally:
        served.stop()


def test_a_group_narrows_the_list(page: Page, fleet: ServedDashboard) -> None:
    wait_until(lambda: page.run(LISTED, "#group")[1:] == ["harbour (120)", "town (120)"], what="groups", every_s=0.05)
    page.run(CHOOSE, "#group", "town")
    wait_until(lambda: page.hash == "#/fleet?group=town", what="the address")
    page.wait_text(".tools", "120 packs")
    page.run(CHOOSE, "#site", "turku")
    wait_until(lambda: page.hash == "#/fleet?site=turku&group=town", what="both")
    wait_site(page, "turku")
    page.open(f"{fleet.url}#/fleet?group=nobody")
    page.wait_text(".empty", "No pack matches")
    assert page.run("return document.querySelector('#group').value") == "nobody"
