"""Click paths through the dashboard, with the mouse and with the keyboard alone; texts of devices stay texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.edge_bridge.fleet.dashboard.browser import DOWN, END, ENTER, ESCAPE, TAB
from tests.edge_bridge.fleet.dashboard.demo_fleet import HOSTILE, MARKUP, TRIPPED
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.edge_bridge.fleet.dashboard.browser import Page
    from tests.edge_bridge.fleet.dashboard.serving import ServedDashboard

pytestmark = pytest.mark.live
FOCUSED: Final = "const one = document.activeElement; return one.id || one.getAttribute('role') || one.tagName"


def read_rows(page: Page) -> list[str]:
    """Return the names in sight, from top to bottom."""
    return page.run(
        "return [...document.querySelectorAll('.grid-body .grid-row')]"
        ".sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map((one) => one.firstChild.innerText)"
    )


def test_what_needs_attention_comes_first_and_is_counted(page: Page) -> None:
    rows = read_rows(page)
    assert rows[0] == TRIPPED
    states = page.run(
        "return [...document.querySelectorAll('.grid-body .grid-row')].map((one) => one.children[1].innerText)"
    )
    assert states[:2] == ["tripped", "offline"]
    chips = page.text(".chips")
    assert "tripped" in chips
    assert "1" in chips
    assert page.text(".grid-head").split("\n")[:3] == ["Pack", "State", "SoC"]


def test_a_state_is_chosen_and_the_address_holds_it(page: Page) -> None:
    page.click(".chip:nth-child(2)")
    wait_until(lambda: page.hash == "#/fleet?state=offline", what="the address")
    wait_until(lambda: "hamburg-0004" not in read_rows(page), what="the filter", every_s=0.05)
    assert "turku-0003" in read_rows(page)
    page.press("2")
    wait_until(lambda: page.hash == "#/fleet", what="all packs again")


def test_the_search_finds_a_part_of_a_name(page: Page) -> None:
    page.press("/")
    assert page.run("return document.activeElement.type") == "search"
    page.press(*"porto-01")
    wait_until(
        lambda: read_rows(page) and all(name.startswith("porto-01") for name in read_rows(page)),
        what="porto",
        every_s=0.05,
    )
    page.press("x")
    page.wait_text(".empty", "No pack matches")
    page.click(".empty button")
    wait_until(lambda: read_rows(page)[:1] == [TRIPPED], what="all packs", every_s=0.05)


def test_a_pack_is_opened_and_left_with_the_keyboard_alone(page: Page) -> None:
    page.press(TAB)
    assert page.run(FOCUSED) == "skip"
    page.press(ENTER)
    for _ in range(20):
        page.press(TAB)
        if page.run(FOCUSED) == "grid":
            break
    assert page.run(FOCUSED) == "grid"
    page.press(DOWN, DOWN)
    chosen = page.text(".grid-row.chosen")
    assert page.run("return document.activeElement.getAttribute('aria-activedescendant')") == "row-1"
    page.press(ENTER)
    page.wait_text("h1", chosen.split("\n")[0])
    page.press(ESCAPE)
    page.find(".grid-body .grid-row")
    assert page.hash == "#/fleet"


def test_the_end_of_the_list_is_read_when_it_is_asked_for(page: Page) -> None:
    page.run("document.querySelector('[role=grid]').focus()")
    page.press(END)
    wait_until(lambda: "…" not in read_rows(page)[-1:] and len(read_rows(page)) > 5, what="the last pack", every_s=0.05)
    assert read_rows(page)[-1] == "turku-0239"


def test_a_pack_shows_values_curves_events_and_its_bundle(page: Page, fleet: ServedDashboard) -> None:
    page.open(f"{fleet.url}#/pack/lyon-0001")
    page.find(".plot-box canvas")
    page.wait_text(".tiles", "standard deviation")
    for words in ("Events", "Bundle", "Completeness", "proven on a bench"):
        page.wait_text(".columns", words)
    assert "72 missing" in page.text(".tiles")
    page.click(".columns .chips button:nth-child(4)")
    wait_until(
        lambda: page.find(".columns .chips button:nth-child(4)").get_attribute("aria-pressed") == "true", what="24 h"
    )
    assert page.console() == []


def test_a_live_row_reaches_the_page(page: Page, fleet: ServedDashboard) -> None:
    page.open(f"{fleet.url}#/pack/lyon-0001")
    page.wait_text(".tiles", "SoC")

    def is_shown() -> bool:
        fleet.send_row("lyon-0001", soc=0.4321, current_a=-12.5)
        return "43.2" in page.text(".tiles") and "−12.50" in page.text(".tiles")  # noqa: RUF001  # as shown

    wait_until(is_shown, what="the live row", every_s=0.1)
    page.wait_text(".pack-head", "newest row")
    assert page.run("return document.querySelector('.tiles').classList.contains('stale')") is False


def test_an_offline_pack_says_why_and_its_values_are_old(page: Page, fleet: ServedDashboard) -> None:
    page.open(f"{fleet.url}#/pack/turku-0003")
    page.wait_text(".columns", "Why is it offline?")
    assert "last known" in page.text(".pack-head")
    assert page.run("return document.querySelector('.tiles').classList.contains('stale')") is True


def test_an_unknown_pack_is_a_sentence(page: Page, fleet: ServedDashboard) -> None:
    page.open(f"{fleet.url}#/pack/nobody")
    page.wait_text(".empty", "No pack has the name nobody")


def test_an_alarm_is_acknowledged_with_a_note(page: Page) -> None:
    page.find(".badge")
    before = int(page.text(".badge"))
    page.press("g", "a")
    page.find("[data-alarm]")
    assert "critical" in page.text(".alarm")
    assert "The gate tripped" in page.text(".alarm")
    assert "find the cause before somebody resets" in page.text(".alarm .advice")
    page.click(".alarm:nth-child(2) [data-alarm]")
    assert page.run("return document.activeElement.id") == "note"
    page.press(*"seen", TAB, ENTER)
    wait_until(lambda: page.text(".badge") == str(before - 1), what="one alarm fewer", every_s=0.05)
    page.click(".tools .chips button:nth-child(3)")
    page.wait_text("main", "acknowledged by local")
    page.wait_text("main", ": seen")


def test_red_is_for_trips_alone(page: Page, fleet: ServedDashboard) -> None:
    colour = "return getComputedStyle(document.querySelector(arguments[0])).%s"
    red, alarm, fail = (
        page.run(f"document.body.style.color = 'var(--{name})'; return getComputedStyle(document.body).color")
        for name in ("red", "alarm", "fail")
    )
    page.run("document.body.style.color = ''")
    page.find(".badge.trip")
    assert page.run(colour % "backgroundColor", ".badge") == red
    assert "a trip" in str(page.find(".badge").get_attribute("aria-label"))
    assert page.run(colour % "color", ".chip:nth-child(1) .status") == alarm
    page.open(f"{fleet.url}#/alarms?show=raised")
    page.find(".alarm .status.critical")
    colours = {
        kind: page.run(
            "const [kind] = arguments; const found = [...document.querySelectorAll('.alarm')]"
            ".find((one) => one.dataset.kind === kind);"
            "return getComputedStyle(found.querySelector('.status')).color",
            kind,
        )
        for kind in ("tripped", "bms-fault")
    }
    assert colours == {"tripped": alarm, "bms-fault": fail}
    page.open(f"{fleet.url}#/fleet?site=lyon")
    page.wait_text(".chip:nth-child(1) b", "0")
    page.find(".chip.none:nth-child(1)")
    assert page.run(colour % "color", ".chip:nth-child(1) .status") not in {red, alarm}


def test_a_badge_without_a_trip_is_not_red(page: Page) -> None:
    page.run(
        "const real = window.fetch; window.fetch = async (path, asked) => String(path).includes('/alarms?')"
        " ? new Response(JSON.stringify({events: [{id: 1, kind: 'offline', severity: 'warning'}], next: null}))"
        " : real(path, asked)"
    )
    page.run("location.hash = '#/alarms'")
    page.find("main .alarm, main .empty")
    wait_until(lambda: page.text(".badge") == "1", what="one alarm")
    assert page.find(".badge").get_attribute("class") == "badge"
    assert page.find(".badge").get_attribute("aria-label") == "1 not acknowledged"


def test_sites_and_analytics_are_summed(page: Page) -> None:
    page.press("g", "s")
    page.wait_text("table", "hamburg")
    page.press("g", "n")
    page.wait_text(".tools", "240 packs")
    assert "0.00" not in page.text(".tiles").split("Cycles")[0]
    page.wait_text(".tiles", "kWh")
    assert "Throughput" in page.text("main")
    assert page.find("a[href*='days.csv?days=7']").get_attribute("download") is not None
    assert page.console() == []


def test_the_shortcuts_are_listed_and_the_colours_change(page: Page) -> None:
    page.press("?")
    page.wait_text("dialog", "Search")
    page.press(ESCAPE)
    wait_until(lambda: not page.text("dialog"), what="a closed dialog")
    shown = {page.run("return getComputedStyle(document.body).backgroundColor")}
    for choice in ("dark", "light", "system"):
        page.press("t")
        page.wait_text("#theme", choice)
        shown.add(page.run("return getComputedStyle(document.body).backgroundColor"))
    assert len(shown) == 2


@pytest.mark.parametrize(
    "route", ["#/fleet?q=hamburg-0000", f"#/pack/{HOSTILE}", "#/alarms?show=raised", "#/sites", f"#/pack/{MARKUP}"]
)
def test_markup_from_a_device_stays_text(page: Page, fleet: ServedDashboard, route: str) -> None:
    page.open(fleet.url + route)
    if "pack/h" in route:
        page.wait_text("main", MARKUP[:20])
        page.wait_text(".columns", "Events")
    elif "alarms" in route:
        page.wait_text("main", MARKUP)
    else:
        wait_until(lambda: page.run("return document.querySelector('main').innerText.length > 40"), what="the page")
    assert page.run("return window.hacked") is None
    assert page.run("return document.querySelectorAll('main img, main script').length") == 0
    assert [line for line in page.console() if "404" not in line] == []
