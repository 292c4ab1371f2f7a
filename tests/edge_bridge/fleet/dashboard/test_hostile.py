"""What devices and people may write at worst, and a browser whose clock or zone is another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from edge_bridge.fleet.events import KINDS, OFFLINE, WARNING
from edge_bridge.fleet.store.open_store import open_store
from edge_bridge.fleet.store.records import Batch, NodeEvent, NodeRecord
from edge_bridge.sparkplug.topics import MAX_NAME
from tests.edge_bridge.fleet.dashboard.demo_fleet import MARKUP, fill_fleet
from tests.edge_bridge.fleet.dashboard.serving import ServedDashboard, read_now_ms
from tests.edge_bridge.fleet.dashboard.test_looks import CUT
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.edge_bridge.fleet.dashboard.browser import Page

pytestmark = pytest.mark.live
LONG: Final = "x" * (MAX_NAME - 6) + "-long-"
RTL: Final = "\u202eخطأ في البطارية\u202c \u05e9\u05dc\u05d5\u05dd"
WIDE: Final = "W" * 200
TEXTS: Final = (RTL, WIDE, MARKUP, "\"quoted' & <b>", "🔋" * 60)
STRANGE: Final = "strange-1"  # its metrics have the wrong types
EVENTS, ALARMS = 400, 150
WIDTHS: Final = (390, 1366)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Generator[ServedDashboard]:
    path: Path = tmp_path_factory.mktemp("hostile") / "fleet.db"
    now_ms = read_now_ms()
    fill_fleet(path, 4, now_ms, measured=1)
    store = open_store(path)
    batch = Batch()
    for node in (LONG, STRANGE):
        status = {"Bundle/Name": WIDE, "Gate/Verdict": "allowed", "Gate/Reason": RTL, "Bundle/Reason": WIDE}
        if node == STRANGE:
            status |= {"Pack/SoC": "full", "Pack/Current": True, "Cells/Voltage Min": "NaN", "Outbox/Depth": "many"}
        batch.notes[node] = NodeRecord(node, True, now_ms, status, "g" * MAX_NAME)  # noqa: FBT003  # online
        batch.events += [
            NodeEvent(node, now_ms - 1_000 * number, KINDS[number % len(KINDS)], WARNING, TEXTS[number % len(TEXTS)])
            for number in range(EVENTS)
        ]
    for number in range(ALARMS):
        node = f"many-{number:03d}"
        batch.notes[node] = NodeRecord(node, False, now_ms, {}, "many")  # noqa: FBT003  # offline
        batch.events.append(
            NodeEvent(node, now_ms - number, OFFLINE, WARNING, TEXTS[number % len(TEXTS)], is_alarm=True)
        )
    store.commit(batch)
    store.close()
    served = ServedDashboard(path)
    served.start()
    yield served
    served.stop()


def check(page: Page) -> None:
    """Nothing is run, nothing is wider than the page or cut."""
    for width in WIDTHS:
        page.resize(width, 800)
        assert page.overflow() <= 0, width
        assert page.run(CUT) == [], width
    assert page.run("return window.hacked") is None
    assert page.run("return document.querySelectorAll('main img, main script').length") == 0
    assert page.console() == []


@pytest.mark.parametrize("node", [LONG, STRANGE], ids=["long", "strange"])
def test_a_pack_of_long_and_strange_texts_is_shown(browser: Page, hostile: ServedDashboard, node: str) -> None:
    browser.open(f"{hostile.url}#/pack/{node}")
    browser.wait_text(".columns", "Events")
    browser.wait_text(".columns", "W" * 30)
    assert browser.text("h1") == node
    check(browser)


def test_a_value_of_the_wrong_type_is_a_dash(browser: Page, hostile: ServedDashboard) -> None:
    browser.open(f"{hostile.url}#/pack/{STRANGE}")
    browser.wait_text(".tiles", "Waiting")
    values = browser.run("return [...document.querySelectorAll('.tile .value')].map((one) => one.innerText)")
    assert values[0] == values[2] == "–"  # noqa: RUF001  # as shown
    assert not {"NaN", "true", "full", "many", "undefined"} & set(browser.text(".tiles").split())


def test_the_fleet_lists_them(browser: Page, hostile: ServedDashboard) -> None:
    browser.open(hostile.url)
    browser.find(".grid-body .grid-row")
    check(browser)
    assert "NaN" not in browser.text(".grid-body")


def test_very_many_alarms_are_read_piece_by_piece(browser: Page, hostile: ServedDashboard) -> None:
    browser.resize(1366, 768)
    browser.open(f"{hostile.url}#/alarms")
    browser.find(".alarm")
    assert browser.text(".badge").endswith("99+")
    before = browser.run("return document.querySelectorAll('.alarm').length")
    browser.run("[...document.querySelectorAll('main button')].find((one) => one.innerText.includes('older')).click()")
    wait_until(lambda: browser.run("return document.querySelectorAll('.alarm').length") > before, what="older alarms")
    check(browser)


def test_a_text_from_right_to_left_does_not_turn_the_words_around_it(browser: Page, hostile: ServedDashboard) -> None:
    browser.open(f"{hostile.url}#/pack/{STRANGE}")
    browser.wait_text(".columns", "Events")
    assert browser.run(
        "return [...document.querySelectorAll('.events bdi')].some((one) => one.innerText.includes('خطأ'))"
    )


ZONES: Final = ("Pacific/Kiritimati", "America/St_Johns", "Australia/Eucla")


@pytest.mark.parametrize("zone", ZONES)
def test_times_are_of_the_zone_that_is_named(browser: Page, hostile: ServedDashboard, zone: str) -> None:
    browser.command("Emulation.setTimezoneOverride", timezoneId=zone)
    try:
        browser.open(hostile.url)
        browser.wait_text("#foot", zone)
        shown = browser.import_module("/parts/format.js", "m.formatTime(1_800_000_000_000)")
        expected = browser.run("return new Date(1800000000000).toTimeString().slice(0, 8)")
        assert shown.endswith(expected)
    finally:
        browser.command("Emulation.setTimezoneOverride", timezoneId="")


@pytest.mark.parametrize("hours", [-26, 7])
def test_a_clock_wrong_by_hours_changes_no_age_and_no_curve(
    browser: Page, hostile: ServedDashboard, hours: int
) -> None:
    wrong = f"const real = Date.now; Date.now = () => real() + {hours} * 3_600_000"
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", source=wrong)
    try:
        browser.open(f"{hostile.url}#/pack/hamburg-0000")
        browser.find(".plot-box canvas")
        assert "min" in browser.text(".pack-head") or " s old" in browser.text(".pack-head")
        assert " h old" not in browser.text(".pack-head")
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])


def test_a_span_without_rows_says_so(browser: Page, hostile: ServedDashboard) -> None:
    browser.resize(1366, 768)
    browser.open(f"{hostile.url}#/pack/lyon-0001")  # it has no rows
    browser.wait_text(".plot-box", "No values in this span")
    browser.click("#twin-forecast")
    browser.wait_text(".twin-state:not(.hidden)", "warning")
    assert browser.console() == [] or all("409" in line or "status of" in line for line in browser.console())
