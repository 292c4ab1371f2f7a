"""A job of the twin on a pack's page: asked for, followed, cancelled, drawn; and in words what went wrong."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from drivers.errors import Refused
from edge_bridge.fleet.people import accounts
from edge_bridge.fleet.people.passwords import hash_password
from edge_bridge.fleet.people.roles import FleetRole, RoleGrant
from edge_bridge.fleet.store.fleet_writer import FleetWriter
from edge_bridge.fleet.twins.job_pool import MAX_QUEUED
from edge_bridge.fleet.twins.worker import PROBLEM, PROGRESS, RESULT
from tests.edge_bridge.fleet.dashboard.browser import ENTER, TAB, find_axe
from tests.edge_bridge.fleet.dashboard.demo_fleet import fill_fleet
from tests.edge_bridge.fleet.dashboard.fake_worker import FakeTwinWorker, make_estimates, make_forecast
from tests.edge_bridge.fleet.dashboard.serving import ServedDashboard, read_now_ms
from tests.edge_bridge.fleet.dashboard.test_login import PASSWORD, ROLES, sign_in
from tests.edge_bridge.fleet.dashboard.test_looks import AXE, CUT
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.edge_bridge.fleet.dashboard.browser import Page

pytestmark = pytest.mark.live
PACK = "lyon-0001"


class TwinDesk:
    """The page of a pack, and the worker behind it."""

    def __init__(self, page: Page, served: ServedDashboard) -> None:
        self.page, self.served = page, served
        self.worker = FakeTwinWorker()
        served.make_jobs = self.worker.make_pool

    def open(self) -> None:
        self.page.resize(1366, 768)
        self.page.open(f"{self.served.url}#/pack/{PACK}")
        self.page.find("#twin-forecast")

    def say(self, kind: str, value: object) -> None:
        self.worker.messages.put((kind, value))

    def expect(self, words: str) -> None:
        self.page.wait_text(".twin-state:not(.hidden)", words)


@pytest.fixture
def desk(browser: Page, tmp_path: Path) -> Generator[TwinDesk]:
    path = tmp_path / "fleet.db"
    fill_fleet(path, 4, read_now_ms(), measured=2)
    served = ServedDashboard(path)
    found = TwinDesk(browser, served)
    served.start()
    found.open()
    yield found
    served.stop()


def test_a_forecast_is_asked_for_followed_and_drawn_beside_the_history(desk: TwinDesk) -> None:
    page = desk.page
    assert page.text("#twin-forecast") == "Forecast the next 24 h"
    page.click("#twin-forecast")
    desk.expect("Computing the forecast")
    desk.say(PROGRESS, 0.4)
    page.wait_text("#twin-percent", "40 %")
    assert page.find("#twin-estimate").get_attribute("aria-disabled") == "true"
    desk.say(RESULT, make_forecast(PACK, read_now_ms()))
    desk.expect("Forecast of ")
    desk.expect("asked for by local")
    page.find(".twin .plot-box canvas")
    for words in ("State of charge, forecast", "told by the pack", "forecast and its band", "50.0"):
        page.wait_text(".twin", words)
    for words in ("Energy out by its end: 4.20", "3.90", "rows tell 95", "DFN", "stay at 27 degC."):
        page.wait_text(".facts", words)
    assert desk.worker.orders[0].hours == 24
    assert page.console() == []


def test_an_estimate_stands_beside_what_the_pack_told(desk: TwinDesk) -> None:
    page = desk.page
    page.run(
        "const one = document.querySelector('#twin-hours'); one.value = '6'; one.dispatchEvent(new Event('change'))"
    )
    assert page.text("#twin-estimate") == "Estimate the last 6 h"
    page.click("#twin-estimate")
    desk.expect("Computing the estimate")
    now_ms = read_now_ms()
    desk.say(RESULT, make_estimates(PACK, now_ms - 6 * 3_600_000, now_ms))
    for words in ("State of charge, estimate", "computed again", "52.0", "State of health"):
        page.wait_text(".twin", words)
    page.wait_text(".facts", "twin.ekf")
    assert desk.worker.orders[0].hours == 6


def test_an_estimate_without_the_bundle_says_that_it_is_what_the_pack_told(desk: TwinDesk) -> None:
    desk.page.click("#twin-estimate")
    desk.expect("Computing")
    now_ms = read_now_ms()
    why = "the fleet does not have the bundle that it runs"
    desk.say(RESULT, make_estimates(PACK, now_ms - 3_600_000, now_ms, computed=None, trouble=why))
    desk.page.wait_text(".facts", "Only what the pack told is drawn: The fleet does not have the bundle")


def test_a_job_is_cancelled_with_the_keyboard_alone(desk: TwinDesk) -> None:
    page = desk.page
    page.run("document.querySelector('#twin-forecast').focus()")
    page.press(ENTER)
    desk.expect("Computing")
    for _ in range(4):
        if page.run("return document.activeElement.id") == "twin-cancel":
            break
        page.press(TAB)
    assert page.run("return document.activeElement.id") == "twin-cancel"
    page.press(ENTER)
    desk.expect("Cancelled: nothing was computed.")
    assert page.run("return document.activeElement.id") == "twin-estimate"
    assert page.find("#twin-forecast").get_attribute("aria-disabled") == "false"


def test_a_job_that_fails_says_why_and_what_to_do(desk: TwinDesk) -> None:
    desk.page.click("#twin-forecast")
    desk.expect("Computing")
    desk.say(PROBLEM, Refused("no row tells a current", key="no_duty", hint="give a duty").as_json())
    desk.expect("No row tells a current")
    desk.expect("Give a duty.")
    desk.expect("warning")
    desk.page.click("#twin-cancel")
    wait_until(lambda: not desk.page.text(".twin-state:not(.hidden)"), what="nothing is said any more")


def test_a_busy_worker_and_a_full_queue_are_words(desk: TwinDesk) -> None:
    page = desk.page
    ask = f"return fetch('/api/v1/devices/{PACK}/forecasts', {{method: 'POST', headers: {{'Content-Type': 'application/json'}}, body: '{{}}'}}).then((one) => one.status)"  # noqa: E501
    assert page.run(ask) == 202
    wait_until(lambda: desk.worker.orders, what="a job that runs")
    page.click("#twin-estimate")
    desk.expect("Waiting for the worker")
    assert [page.run(ask) for _ in range(MAX_QUEUED - 1)] == [202] * (MAX_QUEUED - 1)
    page.run("sessionStorage.clear()")
    page.open(f"{desk.served.url}#/pack/{PACK}")
    page.click("#twin-forecast")
    desk.expect("The one worker is busy, and no more jobs can wait. Try again in 30 s.")


def test_a_job_is_followed_again_after_a_reload_and_forgotten_after_the_hosts_restart(desk: TwinDesk) -> None:
    page = desk.page
    page.click("#twin-forecast")
    desk.expect("Computing")
    page.open(f"{desk.served.url}#/pack/{PACK}")
    desk.expect("Computing")
    desk.served.stop()
    desk.expect("The fleet does not answer. The job goes on if its host runs")
    desk.served.start()
    desk.expect("its host started again")
    page.open(f"{desk.served.url}#/pack/{PACK}")
    page.find("#twin-forecast")
    page.wait_text(".columns", "Events")
    assert page.text(".twin-state:not(.hidden)") == ""


def test_a_result_is_there_again_after_another_page(desk: TwinDesk) -> None:
    page = desk.page
    page.click("#twin-forecast")
    desk.expect("Computing")
    desk.say(RESULT, make_forecast(PACK, read_now_ms()))
    page.find(".twin .plot-box canvas")
    page.press("g", "s")
    page.wait_text("table", "lyon")
    page.run("location.hash = arguments[0]", f"#/pack/{PACK}")
    page.find(".twin .plot-box canvas")
    desk.expect("Forecast of ")


def test_a_result_reads_well_at_every_width_and_in_both_themes(desk: TwinDesk) -> None:
    page = desk.page
    page.click("#twin-forecast")
    desk.expect("Computing")
    page.run(find_axe())
    assert page.driver.execute_async_script(AXE) == []
    desk.say(RESULT, make_forecast(PACK, read_now_ms()))
    page.find(".twin .plot-box canvas")
    for theme in ("light", "dark"):
        page.prefer(prefers_color_scheme=theme, prefers_reduced_motion="reduce")
        for width in (1920, 768, 390):
            page.resize(width, 844)
            assert page.overflow() <= 0, (width, theme)
            assert page.run(CUT) == [], (width, theme)
        assert page.driver.execute_async_script(AXE) == [], theme


@pytest.mark.parametrize(
    "garbage",
    ["null", '{"id": 5}', '{"id": "x", "state": "done", "kind": "forecast", "forecast": {"t_ms": [1, null]}}'],
)
def test_garbage_in_place_of_a_job_breaks_nothing(desk: TwinDesk, garbage: str) -> None:
    page = desk.page
    page.find(".plot-box canvas")
    page.console()
    page.run("const text = arguments[0]; window.fetch = async () => new Response(text, {status: 200})", garbage)
    page.click("#twin-forecast")
    wait_until(lambda: page.text(".twin-state:not(.hidden)"), what="words")
    assert [line for line in page.console() if "TypeError" in line] == []


def test_a_role_that_ended_meanwhile_is_words(browser: Page, tmp_path: Path) -> None:
    path = tmp_path / "fleet.db"
    fill_fleet(path, 4, read_now_ms(), measured=2)
    with closing(FleetWriter(path)) as writer, writer.begin() as connection:
        for name in ("ada", "vera"):
            accounts.add_account(connection, name, hash_password(PASSWORD), [ROLES[name]], read_now_ms())
    served = ServedDashboard(path, has_people=True)
    served.start()
    try:
        sign_in(browser, served, "vera")
        browser.find("#who")
        browser.run("location.hash = arguments[0]", f"#/pack/{PACK}")
        browser.find("#twin-forecast")
        with closing(FleetWriter(path)) as writer, writer.begin() as connection:
            accounts.set_grants(connection, "vera", [RoleGrant(FleetRole.VIEWER, "hamburg")])
        browser.click("#twin-forecast")
        browser.wait_text(".twin-state:not(.hidden)", "Your role does not permit this")
    finally:
        served.stop()
