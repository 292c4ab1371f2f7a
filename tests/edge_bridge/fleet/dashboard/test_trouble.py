"""A fleet that does not answer, comes back, or answers with garbage."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from tests.edge_bridge.fleet.dashboard.demo_fleet import fill_fleet
from tests.edge_bridge.fleet.dashboard.serving import ServedDashboard, read_now_ms
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.edge_bridge.fleet.dashboard.browser import Page

pytestmark = pytest.mark.live
ROUTES: Final = ("#/fleet", "#/pack/lyon-0001", "#/alarms", "#/sites", "#/analytics", "#/login")
GARBAGE: Final = (
    "null",
    "[]",
    "not json",
    '{"devices": 3, "events": {}, "sites": "x", "days": [1, null], "counts": [], "t_ms": 4, "next": 5}',
    (
        '{"devices": [null, 3, {"node": 5}, {"node": "a", "soc": "<b>", "last_ms": "x", "state": {}}], "total": "y",'
        ' "events": [null], "sites": [{}], "days": [{"day_ms": "x"}], "is_done": true, "columns": {"soc": 3}}'
    ),
)


@pytest.fixture
def small(tmp_path: Path) -> Generator[ServedDashboard]:
    path = tmp_path / "fleet.db"
    fill_fleet(path, 12, read_now_ms(), measured=1, hours=1)
    served = ServedDashboard(path)
    served.start()
    yield served
    served.stop()


@pytest.mark.parametrize("route", ["#/fleet", "#/pack/hamburg-0000"])
def test_a_dead_fleet_is_told_and_its_return_is_seen(browser: Page, small: ServedDashboard, route: str) -> None:
    browser.resize(1366, 768)
    browser.open(small.url + route)
    browser.wait_text("main", "hamburg-0000")
    small.stop()
    browser.wait_text("#link", "The fleet does not answer")
    browser.wait_text("#link", "since ")
    assert "hamburg-0000" in browser.text("main")
    assert browser.run("return document.body.classList.contains('is-lost')") is True
    small.start()
    browser.wait_text(".toast", "answers again")
    wait_until(lambda: not browser.text("#link"), what="the connection", every_s=0.05)
    assert browser.run("return document.body.classList.contains('is-lost')") is False


@pytest.mark.parametrize("route", ["#/sites", "#/pack/hamburg-0000"])
def test_a_page_that_is_opened_while_the_fleet_is_dead_says_so_and_appears(
    browser: Page, small: ServedDashboard, route: str
) -> None:
    browser.resize(1366, 768)
    browser.open(small.url)
    browser.find(".grid-body .grid-row")
    small.stop()
    browser.wait_text("#link", "The fleet does not answer")
    browser.run("location.hash = arguments[0]", route)
    browser.wait_text("main .problem", "The fleet does not answer")
    assert "defect" not in browser.text("main")
    small.start()
    browser.wait_text("main", "Packs" if "sites" in route else "newest row")


def test_events_and_counts_stay_when_the_fleet_dies(browser: Page, small: ServedDashboard) -> None:
    browser.open(f"{small.url}#/pack/hamburg-0000")
    browser.wait_text(".columns", "Produced")
    before = browser.text(".events")
    small.stop()
    browser.wait_text("#link", "The fleet does not answer")
    browser.run("document.dispatchEvent(new CustomEvent('shortcut', {detail: 'r'}))")
    browser.wait_text("#next", "next try")
    assert browser.text(".events") == before
    assert "cannot be" not in browser.text(".columns")


def test_a_fleet_that_loses_its_broker_says_so(browser: Page, small: ServedDashboard) -> None:
    small.host.trouble = "mqtt://broker refused the connection"
    browser.open(small.url)
    browser.wait_text("#foot", "the host is not connected")


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_from_the_fleet_breaks_no_page(browser: Page, small: ServedDashboard, garbage: str) -> None:
    browser.open(small.url)
    browser.find(".grid-body .grid-row")
    browser.console()
    browser.run("const text = arguments[0]; window.fetch = async () => new Response(text, {status: 200})", garbage)
    for route in (*ROUTES, "#/fleet"):
        browser.run("location.hash = arguments[0]", route)
        browser.wait_text("body", "Sign in" if route == "#/login" else "Fleet")
        browser.run("document.dispatchEvent(new CustomEvent('shortcut', {detail: 'r'}))")
    assert [line for line in browser.console() if "TypeError" in line] == []


def test_live_messages_that_mean_nothing_change_nothing(browser: Page, small: ServedDashboard) -> None:
    browser.open(small.url)
    browser.find(".grid-body .grid-row")
    before = browser.text(".grid-row:nth-child(1)")
    for text in ("", "[]", "null", '{"type": "data", "id": "view", "rows": [1, [], ["a", 0, 0, 1]], "states": [null]}'):
        assert browser.import_module("/parts/live.js", f"[m.hear({json.dumps(text)})]") == [None]
    assert browser.text(".grid-row:nth-child(1)") == before


CLOCK_BACK: Final = "const real = Date.now; Date.now = () => real() - 3_600_000"


def test_a_dead_fleet_is_told_though_the_clock_of_the_browser_was_set_back(
    browser: Page, small: ServedDashboard
) -> None:
    browser.open(small.url)
    browser.find(".grid-body .grid-row")
    browser.run(CLOCK_BACK)
    small.stop()
    browser.wait_text("#link", "The fleet does not answer")
    small.start()
    browser.wait_text(".toast", "answers again after ")
    assert " h." not in browser.text(".toast")


def test_ages_and_times_are_those_of_the_fleet_not_of_a_wrong_browser(browser: Page, small: ServedDashboard) -> None:
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", source=CLOCK_BACK)
    try:
        browser.open(small.url)
        browser.find(".grid-body .grid-row")
        ages = browser.run(
            "return [...document.querySelectorAll('.grid-body .grid-row')].map((one) => one.lastChild.innerText)"
        )
        assert any(age.endswith(" s") for age in ages), ages
        assert browser.import_module("/parts/link.js", "m.link.skewMs / 60_000") == pytest.approx(60, abs=0.2)
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])


def test_a_fleet_that_dies_while_somebody_scrolls_shows_all_rows_once_it_is_back(browser: Page, tmp_path: Path) -> None:
    path = tmp_path / "fleet.db"
    fill_fleet(path, 3_000, read_now_ms(), measured=0)
    served = ServedDashboard(path)
    served.start()
    try:
        browser.resize(1366, 768)
        browser.open(f"{served.url}#/fleet?sort=name")
        browser.find(".grid-body .grid-row")
        served.stop()
        browser.run("const one = document.querySelector('[role=grid]'); one.scrollTop = one.scrollHeight")
        browser.wait_text("#link", "The fleet does not answer")
        browser.wait_text(".grid-body", "…")
        served.start()
        browser.wait_text(".toast", "answers again")
        wait_until(lambda: "turku-2999" in browser.text(".grid-body"), what="the last pack", every_s=0.1)
        assert "…" not in [line.strip() for line in browser.text(".grid-body").split("\n")]
    finally:
        served.stop()
