"""Who is not signed in gets a form; what a role may not do is not offered; the session ends by signing out."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import text

from edge_bridge.fleet.people import accounts
from edge_bridge.fleet.people.passwords import hash_password
from edge_bridge.fleet.people.roles import FleetRole, RoleGrant
from edge_bridge.fleet.store.fleet_writer import FleetWriter
from tests.edge_bridge.fleet.dashboard.browser import ENTER, TAB
from tests.edge_bridge.fleet.dashboard.demo_fleet import MARKUP, fill_fleet
from tests.edge_bridge.fleet.dashboard.serving import ServedDashboard, read_now_ms
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.edge_bridge.fleet.dashboard.browser import Page

pytestmark = pytest.mark.live
PASSWORD: Final = "four words and more"  # noqa: S105  # of nobody
ROLES: Final = {
    "ada": RoleGrant(FleetRole.ADMINISTRATOR),
    "vera": RoleGrant(FleetRole.VIEWER),
    "otto": RoleGrant(FleetRole.OPERATOR),
    "lea": RoleGrant(FleetRole.OPERATOR, "lyon"),
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Generator[ServedDashboard]:
    path = tmp_path_factory.mktemp("guarded") / "fleet.db"
    fill_fleet(path, 12, read_now_ms(), measured=1, hours=1)
    with closing(FleetWriter(path)) as writer, writer.begin() as connection:
        kept = hash_password(PASSWORD)
        for name, grant in ROLES.items():
            accounts.add_account(connection, name, kept, [grant], read_now_ms())
    served = ServedDashboard(path, has_people=True)
    served.start()
    yield served
    served.stop()


def sign_in(page: Page, served: ServedDashboard, name: str, password: str = PASSWORD) -> None:
    page.resize(1366, 768)
    page.command("Network.clearBrowserCookies")
    page.open(f"{served.url}#/alarms")
    wait_until(lambda: page.hash == "#/login", what="the form", every_s=0.05)
    page.find("#name")
    page.press(*name, TAB, *password, ENTER)


def test_a_wrong_password_is_a_sentence_and_the_field_is_empty(browser: Page, guarded: ServedDashboard) -> None:
    sign_in(browser, guarded, "vera", "wrong")
    browser.wait_text("[role=alert]", "name or password is wrong")
    assert browser.run("return document.querySelector('#password').value") == ""
    assert browser.text("nav") == ""


def test_a_viewer_sees_alarms_and_cannot_acknowledge(browser: Page, guarded: ServedDashboard) -> None:
    sign_in(browser, guarded, "vera")
    browser.find(".alarm")
    assert browser.hash == "#/alarms"
    assert browser.text("#who") == "vera"
    assert browser.run("return document.querySelectorAll('[data-alarm]').length") == 0
    browser.click("#sign-out")
    browser.find("#name")
    browser.run("location.hash = '#/fleet'")
    wait_until(lambda: browser.hash == "#/login", what="the form again", every_s=0.05)


def test_an_operator_acknowledges_with_the_session(browser: Page, guarded: ServedDashboard) -> None:
    sign_in(browser, guarded, "otto")
    browser.find("[data-alarm]")
    before = browser.run("return document.querySelectorAll('.alarm').length")
    browser.click("[data-alarm]")
    browser.click("#ack-send")
    wait_until(
        lambda: browser.run("return document.querySelectorAll('.alarm').length") == before - 1,
        what="one fewer",
        every_s=0.05,
    )
    browser.run("location.hash = '#/alarms?show=all'")
    browser.wait_text("main", "acknowledged by otto")


def test_who_has_one_site_sees_its_packs_alone(browser: Page, guarded: ServedDashboard) -> None:
    sign_in(browser, guarded, "lea")
    browser.find("#who")
    browser.run("location.hash = '#/fleet'")
    browser.wait_text(".tools", "3 packs")
    browser.run("location.hash = '#/sites'")
    browser.wait_text("table", "lyon")
    assert "hamburg" not in browser.text("table")
    browser.run("location.hash = '#/pack/hamburg-0000'")
    browser.wait_text(".empty", "Your roles do not reach hamburg-0000")
    assert browser.find(".empty a[href='#/fleet']").text == "Show all packs"


def end_sessions(served: ServedDashboard) -> None:
    """End all sessions, as their time-out does."""
    with closing(FleetWriter(served.path)) as writer, writer.begin() as connection:
        connection.execute(text("DELETE FROM session"))


def read_again(page: Page) -> None:
    """Do what the key `r` does; a page that has noticed by itself shows the form, which would take the key."""
    page.run("document.dispatchEvent(new CustomEvent('shortcut', {detail: 'r'}))")


@pytest.mark.parametrize("route", ["#/fleet?state=online", "#/pack/lyon-0001", "#/alarms?show=all", "#/sites"])
def test_a_session_that_ends_on_an_open_page_leads_to_the_form_and_back(
    browser: Page, guarded: ServedDashboard, route: str
) -> None:
    sign_in(browser, guarded, "otto")
    browser.find("#who")
    browser.run("location.hash = arguments[0]", route)
    browser.wait_text("main", "newest row" if "pack" in route else "hamburg")
    end_sessions(guarded)
    read_again(browser)
    browser.find("#password")
    assert browser.hash == "#/login"
    browser.press(*"otto", TAB, *PASSWORD, ENTER)
    wait_until(lambda: browser.hash == route, what="the page of before", every_s=0.05)
    browser.wait_text("#who", "otto")


def test_a_session_that_ends_under_a_dialog_closes_it(browser: Page, guarded: ServedDashboard) -> None:
    sign_in(browser, guarded, "otto")
    browser.find("[data-alarm]")
    browser.click("[data-alarm]")
    browser.find("dialog[open]")
    end_sessions(guarded)
    browser.run("document.querySelector('#ack-send')?.click()")  # the page may have noticed by itself
    browser.find("#password")
    assert browser.run("return document.querySelectorAll('dialog').length") == 0
    browser.press(*"otto", TAB, *PASSWORD, ENTER)
    wait_until(lambda: browser.hash == "#/alarms", what="the alarms", every_s=0.05)


def test_a_note_of_markup_stays_text(browser: Page, guarded: ServedDashboard) -> None:
    sign_in(browser, guarded, "otto")
    browser.find("[data-alarm]")
    browser.click("[data-alarm]")
    browser.find("#note")
    browser.run("document.querySelector('#note').value = arguments[0]", MARKUP)
    browser.click("#ack-send")
    browser.run("location.hash = '#/alarms?show=all'")
    browser.wait_text("main", MARKUP[:30])
    assert browser.run("return window.hacked") is None
    assert browser.run("return document.querySelectorAll('main img, main script').length") == 0
