"""The modules of the dashboard that hold no element: formatting, curves with gaps, states, sums of days."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.edge_bridge.fleet.dashboard.browser import Page
    from tests.edge_bridge.fleet.dashboard.serving import ServedDashboard

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def opened(browser: Page, fleet: ServedDashboard) -> Page:
    browser.open(fleet.url)
    return browser


def test_values_are_formatted_as_in_the_window(opened: Page) -> None:
    shown = opened.import_module(
        "/parts/format.js",
        """[m.withUnit(m.VOLT, 3.3), m.withUnit(m.AMPERE, -1.236), m.withUnit(m.AMPERE, 0.001), m.withUnit(m.AMPERE, 2),
        m.withUnit(m.CELSIUS, 300.15), m.formatBand(m.PERCENT, 0.632, 0.014), m.formatBand(m.PERCENT, null, 0.1),
        m.withUnit(m.VOLT, NaN), m.withUnit(m.VOLT, "<b>"), m.formatBetween(3.2811, 3.312),
        m.formatBetween(null, undefined),
        m.formatAge(0.44), m.formatAge(59.9), m.formatAge(61), m.formatAge(7200), m.formatAge(-3), m.formatAge(NaN),
        m.formatCount(1234567), m.formatCount(null), m.formatTime(1e300), m.formatText("")]""",
    )
    assert shown == [
        *("3.300\u00a0V", "−1.24\u00a0A", "0.00\u00a0A", "+2.00\u00a0A", "27.0\u00a0°C", "63.2 ±1.4\u00a0%"),  # noqa: RUF001  # as shown
        *("–", "–", "–", "3.281 … 3.312\u00a0V", "–", "0.4 s", "59 s", "1 min", "2 h", "0.0 s", "–"),  # noqa: RUF001
        *("1\u202f234\u202f567", "–", "–", "–"),  # noqa: RUF001  # as shown
    ]


def run_series(page: Page, expression: str) -> Any:
    body = {
        "step_ms": 1000,
        "t_ms": [1000, 2000, 3000, 9000],
        "columns": {"soc": {"low": [1, 2, None, 4], "mean": [1, 2, None, 4], "high": [1, 2, None, 4]}},
    }
    return page.import_module(
        "/parts/series.js", f"((s) => {expression})(m.fromHistory({json.dumps(body)}, ['soc', 'soh']))"
    )


def test_a_gap_of_the_history_stays_a_gap(opened: Page) -> None:
    found = run_series(opened, "[s.columns.soc.mean, s.columns.soh.mean, m.findUsualStep(s.t)]")
    assert found == [[1, 2, None, 4], [None] * 4, 1000]


def test_a_live_row_follows_and_an_old_one_changes_nothing(opened: Page) -> None:
    found = run_series(
        opened,
        "[m.addRow(s, 9000, {}), m.addRow(s, 2500, {}), m.addRow(s, 9500, {soc: 5, soh: 'x'}), s.t, s.columns]",
    )
    assert found[:3] == [False, False, True]
    assert found[3] == [1000, 2000, 3000, 9000, 9500]
    assert (found[4]["soc"]["mean"][-1], found[4]["soh"]["mean"][-1]) == (5, None)


def test_a_live_row_after_a_break_leaves_a_gap(opened: Page) -> None:
    found = run_series(opened, "[m.addRow(s, 99000, {soc: 5}), s.t.slice(-2), s.columns.soc.mean.slice(-2)]")
    assert found == [True, [9001, 99000], [None, 5]]


def test_what_left_the_span_is_dropped_and_a_band_needs_both(opened: Page) -> None:
    assert run_series(opened, "[m.dropBefore(s, 2500), s.t, s.columns.soc.low][1]") == [3000, 9000]
    band = opened.import_module("/parts/series.js", "m.makeBand([0.5, 0.5, null], [0.1, null, 0.1])")
    assert band == {"low": [0.4, None, None], "high": [0.6, None, None]}


@pytest.mark.parametrize("body", ["null", "{}", "{t_ms: 3}", '{t_ms: [1], columns: {soc: {mean: "x"}}}'])
def test_a_history_that_means_nothing_is_empty(opened: Page, body: str) -> None:
    found = opened.import_module("/parts/series.js", f"m.fromHistory({body}, ['soc']).columns.soc.mean")
    assert found in ([], [None])


@pytest.mark.parametrize(
    ("device", "state"),
    [
        ({"online": False, "gate_verdict": "tripped"}, "tripped"),
        ({"online": False, "gate_verdict": "held"}, "offline"),
        ({"online": True, "gate_verdict": "held"}, "held"),
        ({"online": True}, "online"),
    ],
)
def test_a_state_is_that_of_the_api(opened: Page, device: dict[str, Any], state: str) -> None:
    assert opened.import_module("/parts/device.js", f"m.findState({json.dumps(device)})") == state


def test_live_messages_change_a_device(opened: Page) -> None:
    found = opened.import_module(
        "/parts/device.js",
        """((d) => [m.applyRow(d, 5, {soc: 0.1}), m.applyRow(d, 20, {soc: 0.2, gate_verdict: "held"}),
        m.applyState(d, {online: false, last_ms: 3, status: {"Pack/SoH": 0.9, "__proto__": 1, "x": 2}}), d])(
        {node: "a", online: true, last_ms: 10})""",
    )
    assert found[:2] == [False, True]
    assert found[3] == {
        "node": "a", "online": False, "last_ms": 20, "soc": 0.2, "gate_verdict": "held", "soh": 0.9, "state": "offline"
    }  # fmt: skip


def test_days_of_sites_become_days_of_all(opened: Page) -> None:
    days = [
        {
            "site": site,
            "day_ms": day,
            "packs": packs,
            "energy_out_wh": 10 * packs,
            "availability": share,
            "soh_median": soh,
        }
        for site, day, packs, share, soh in (("a", 2, 1, 1.0, 0.9), ("b", 2, 3, 0.6, None), ("a", 1, 1, 0.5, 0.91))
    ]
    first, second = opened.import_module("/parts/days.js", f"m.joinDays({json.dumps(days)})")
    assert (first["day_ms"], second["day_ms"]) == (1, 2)
    assert (second["energy_out_wh"], second["packs"], second["soh_median"]) == (40, 4, 0.9)
    assert second["availability"] == pytest.approx(0.7)
    assert len(opened.import_module("/parts/days.js", f"m.joinDays({json.dumps(days)}, 'b')")) == 1
    assert opened.import_module("/parts/days.js", "[m.joinDays(null), m.joinDays([null, {}])]") == [[], []]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"bms_state": 3, "bms_fault": 0}, ["normal", "state 3, no fault"]),
        ({"bms_state": 4, "bms_fault": 7}, ["open wire", "fault 7"]),
        ({"bms_state": 99, "bms_fault": 0}, ["state 99", "not named by its profile, no fault"]),
        ({"bms_state": 4, "bms_fault": 50}, ["fault 50", "not named by its profile"]),
        ({"bms_state": None, "bms_fault": None}, ["–", ""]),  # noqa: RUF001  # as shown
        ({"bms_state": "x", "bms_fault": True}, ["–", ""]),  # noqa: RUF001  # as shown
    ],
)
def test_a_state_of_the_bms_has_the_name_of_its_profile(opened: Page, values: dict[str, Any], words: list[str]) -> None:
    names = {"bundle": "ab", "states": {"3": "NORMAL", "4": "FAULT"}, "faults": {"7": "OPEN_WIRE"}}
    one = json.dumps(values | {"names": names})
    assert opened.import_module("/parts/bms_words.js", f"[m.nameBms({one}), m.nameBmsNumber({one})]") == words


def test_without_the_profile_the_number_is_shown_and_why(opened: Page) -> None:
    one = json.dumps({"bms_state": 3, "bms_fault": 0, "names": {"bundle": None, "states": {}, "faults": {}}})
    found = opened.import_module("/parts/bms_words.js", f"[m.nameBms({one}), m.nameBmsNumber({one})]")
    assert found == ["state 3", "its profile is not in this fleet, no fault"]


def test_a_route_is_read(opened: Page) -> None:
    found = opened.import_module(
        "/app.js",
        "['', '#/pack/a%20b', '#/nothing', '#/pack/%', '#/constructor']"
        ".map((one) => Object.values(m.parseRoute(one)).slice(0, 2))",
    )
    assert found == [["fleet", ""], ["pack", "a b"], ["fleet", ""], ["pack", ""], ["fleet", ""]]
