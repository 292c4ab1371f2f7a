"""The view that the live messages make, without a socket."""

from __future__ import annotations

from typing import Any, Final

from edge_bridge.fleet.bundle_transfer import TransferProgress
from edge_bridge.fleet.client.mirror import FleetMirror
from edge_bridge.fleet.row import MAX_AHEAD_MS
from edge_bridge.fleet.store.records import Totals

NOW_MS: Final = 1_800_000_000_000
BOOT: Final = "00c0ffee00000001"


def make_mirror(*messages: dict[str, Any]) -> FleetMirror:
    mirror = FleetMirror()
    for message in ({"type": "subscribed", "columns": ["current_a", "soc"]}, *messages):
        mirror.apply(message, NOW_MS)
    return mirror


def data(*rows: list[Any], **state: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"node": "pack-1", "online": True, "last_ms": None, "status": {}}
    states = [usual | state] if state else list[dict[str, Any]]()
    return {"type": "data", "rows": list(rows), "states": states}


def row(t_ms: int, soc: float, *, historical: bool = False) -> list[Any]:
    return ["pack-1", BOOT, 1, t_ms, historical, [-22.0, soc]]


def overview(**changes: Any) -> dict[str, Any]:
    totals = {"produced": 12, "stored": 10, "named": 1}
    usual = {"connected": True, "trouble": "", "outage_s": 0.0, "totals": totals, "resent": 3, "rows": {"pack-1": 10}}
    return {"type": "overview", **usual, "refused": {"topic": 1}, "flagged": {}, "sending": [], **changes}


def test_row_changes_what_it_measures_and_leaves_the_rest() -> None:
    mirror = make_mirror(data(status={"Bundle/Name": "hil24", "Pack/SoC": 0.5}), data(row(NOW_MS, 0.6)))
    node = mirror.make_view().nodes[0]
    assert node.status == {"Bundle/Name": "hil24", "Pack/SoC": 0.6, "Pack/Current": -22.0}
    assert node.last_ms == NOW_MS


def test_resent_row_changes_no_status() -> None:
    mirror = make_mirror(data(row(NOW_MS, 0.6)), data(row(NOW_MS - 9_000, 0.1, historical=True)))
    node = mirror.make_view().nodes[0]
    assert (node.status["Pack/SoC"], node.last_ms) == (0.6, NOW_MS)


def test_time_stamp_of_a_wrong_clock_is_not_the_newest() -> None:
    mirror = make_mirror(data(row(NOW_MS, 0.6)), data(row(NOW_MS + MAX_AHEAD_MS + 1, 0.7)))
    assert mirror.make_view().nodes[0].last_ms == NOW_MS


def test_view_is_what_the_host_itself_would_give() -> None:
    sending: dict[str, Any] = {
        "node": "pack-1",
        "sha256": "ab" * 32,
        "size": 9,
        "received": 4,
        "state": "desired",
        "reason": "",
    }
    mirror = make_mirror(data(online=False), overview(trouble="disk full", sending=[sending]))
    view = mirror.make_view()
    assert (view.connected, view.trouble, view.totals, view.resent) == (True, "disk full", Totals(12, 10, 1), 3)
    assert (view.nodes[0].online, view.nodes[0].rows) == (False, 10)
    assert view.nodes[0].sending == TransferProgress(**sending)
    assert mirror.make_view() is view


def test_node_that_lost_its_place_goes_and_a_new_one_stays() -> None:
    mirror = make_mirror(data(online=True), overview(rows={}))
    assert [node.node for node in mirror.make_view().nodes] == ["pack-1"]  # it may be newer than the overview
    mirror.apply(overview(rows={}), NOW_MS)
    assert mirror.make_view().nodes == ()


def test_unknown_message_of_a_later_version_changes_nothing() -> None:
    mirror = make_mirror(data(row(NOW_MS, 0.6)))
    view = mirror.make_view()
    mirror.apply({"type": "of tomorrow"}, NOW_MS)
    assert mirror.make_view() is view
