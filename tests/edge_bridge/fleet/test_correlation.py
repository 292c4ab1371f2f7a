"""One id, from the request of a person to the event of its outcome: log, audit, command, edge, answer, event."""

from __future__ import annotations

import json
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from edge_bridge import metrics
from edge_bridge.edge.outbox import Outbox
from edge_bridge.fleet import commands
from edge_bridge.fleet.api.request_log import RequestLog
from edge_bridge.fleet.command_sender import make_device_command
from edge_bridge.fleet.device_command import CommandKind, DeviceCommand
from edge_bridge.fleet.host_requests import HostRequests
from edge_bridge.fleet.process import FleetHost
from edge_bridge.fleet.structured_log import FleetLog
from edge_bridge.mqtt import LinkUp, MqttMessage
from edge_bridge.sparkplug import wire
from tests.edge_bridge.edge.sending_edge import BOOT, STATUS, SendingEdge
from tests.edge_bridge.fleet.api.served import AppClient, serve_desk
from tests.edge_bridge.fleet.pack import Desk, Pack
from tests.waiting import wait_until
from workbench.compose.fleet_api import make_command_driver

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NOWHERE: Final = "mqtt://127.0.0.1:9"
ID: Final = "ticket-4711"


class Wire:
    """A host and an edge of this program, joined by memory in place of a broker."""

    def __init__(self, fleet: FleetHost, edge: SendingEdge, patch: pytest.MonkeyPatch) -> None:
        self.fleet, self.edge, self.sent = fleet, edge, list[MqttMessage]()
        self.commands = list[dict[str, Any]]()
        self._events: list[Any] = [LinkUp(None, 1)]
        link = fleet._link  # pyright: ignore[reportPrivateUsage]
        patch.setattr(link, "poll", self._poll)
        patch.setattr(link, "publish", self.sent.append)
        patch.setattr(link, "publish_all", self.sent.extend)
        patch.setattr(type(link), "is_up", True)

    def carry(self) -> None:
        """Let both have a turn, and carry what they sent."""
        self.edge.uplink.send_rows()
        self.edge.hands.pass_s(0.02)  # about as much as has passed: rows that are not late do not come again
        self.edge.uplink.publish_status(STATUS)
        self._events += self.edge.hands.sent
        self.edge.hands.sent.clear()
        self.fleet.turn(0.0)
        for message in [one for one in self.sent if "/NCMD/" in one.topic]:
            self.commands.append({str(one.name): one.value for one in wire.decode(message.payload).metrics})
            self.edge.hear(message)
        self.sent.clear()

    def _poll(self, _wait_s: float) -> list[Any]:
        found, self._events = self._events, []
        return found


def test_one_id_is_found_from_the_request_to_the_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_bridge.fleet.api.device_directory.FRESH_S", -1.0)
    desk, lines = Desk(tmp_path / "other.db"), list[str]()
    place: Any = SimpleNamespace(path=tmp_path / "fleet.db", now=desk.now)
    with (
        closing(desk),
        closing(Outbox(tmp_path / "o.sqlite", BOOT)) as outbox,
        closing(FleetHost(NOWHERE, place.path, lambda: desk.now, take_over=True)) as fleet,
        serve_desk(place) as served,
    ):
        edge = SendingEdge(tmp_path, desk, outbox)
        wire_of = Wire(fleet, edge, monkeypatch)
        edge.rows(10)
        edge.up()
        wait_until(lambda: wire_of.carry() or outbox.depth == 0, what="the acknowledgement of the rows")

        log, requests = FleetLog(lines.append, as_json=True), HostRequests()
        app: Any = RequestLog(served.client.app, log)
        order = {"kind": "resend", "rows": {"boot": BOOT, "first": 3, "last": 7}}
        asked = AppClient(app).request("POST", "/devices/pack-1/commands", json=order, headers={"X-Request-ID": ID})
        assert (asked.status_code, asked.headers["X-Request-ID"]) == (202, ID)
        command = asked.json()["id"]
        driver = make_command_driver(served.context, requests, log)

        def is_done() -> bool:
            driver.turn()
            requests.run(fleet)
            wire_of.carry()
            return served.get("/devices/pack-1/commands")["commands"][0]["state"] == "done"

        wait_until(is_done, what="the answer of the device")
        told = [json.loads(line) for line in lines]
        assert [(one["event"], one["request_id"]) for one in told][:2] == [("request", ID), ("command sent", ID)]
        assert told[1]["command"] == command
        (entry,) = served.get("/audit")["entries"]
        assert json.loads(entry["after"]) == {"command": command, "request": ID, "rows": f"{BOOT}:3-7"}
        (sent,) = [one for one in wire_of.commands if metrics.COMMAND_ID in one]
        assert (sent[metrics.COMMAND_ID], sent[metrics.COMMAND_REQUEST]) == (command, ID)
        assert f"command received command={command} request_id={ID} kind=resend rows=5" in edge.said
        (event,) = [one for one in served.get("/events")["events"] if one["kind"] == "command-answered"]
        assert event["detail"] == f"command {command} of request {ID}: 5 rows are sent again"
        (done,) = served.get("/devices/pack-1/commands")["commands"]
        assert (done["request"], done["answer"]) == (ID, "5 rows are sent again")
        wait_until(lambda: wire_of.carry() or outbox.depth == 0, what="the rows, again")
        assert fleet.view().resent >= 5, "more where the commit took longer than an edge waits"
        assert fleet.view().totals.stored == 10, "each row is stored once"


def test_a_command_that_comes_again_is_answered_again_and_done_once(tmp_path: Path) -> None:
    with closing(Desk(tmp_path / "f.db")) as desk, closing(Outbox(tmp_path / "o.sqlite", BOOT)) as outbox:
        edge = SendingEdge(tmp_path, desk, outbox)
        edge.rows(5)
        edge.up()
        outbox.acknowledge(BOOT, [(1, 5)])
        values = {metrics.RESEND: f"{BOOT}:1-5", metrics.ACKNOWLEDGED_BY: "fleet", metrics.COMMAND_ID: "c1"}
        command = commands.make_command("pulsebms", "pack-1", values, 0)
        edge.hear(command)
        assert outbox.depth == 5
        outbox.acknowledge(BOOT, [(1, 5)])
        edge.hear(command)
        assert outbox.depth == 0
        assert [one for one in edge.said if one.startswith("command received")] == [
            "command received command=c1 request_id= kind=resend rows=5"
        ]
        edge.hear(commands.make_command("pulsebms", "pack-1", values | {metrics.COMMAND_ID: "c 2"}, 0))
        assert (outbox.depth, edge.node.refused["command_id"]) == (0, 1)


def test_an_edge_of_the_version_before_gets_no_id_and_no_resend(tmp_path: Path) -> None:
    """`Pack` is such an edge: its birth declares neither."""
    with closing(Desk(tmp_path / "f.db")) as desk:
        desk.hear(Pack().birth())
        resend = DeviceCommand("c1", CommandKind.RESEND, 0, 1, "ann", rows="aa:1")
        assert make_device_command(desk.host, "pack-1", resend, 0) is None
        made = make_device_command(desk.host, "pack-1", DeviceCommand("c2", CommandKind.REBIRTH, 0, 1, "ann"), 0)
        assert made is not None
        assert [one.name for one in wire.decode(made.payload).metrics] == [metrics.REBIRTH]
