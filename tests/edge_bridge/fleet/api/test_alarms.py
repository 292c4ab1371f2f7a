"""Events, alarms, their acknowledgement, and the audit of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from edge_bridge.fleet.audit.chain import AuditRecord, find_broken_link
from tests.edge_bridge.fleet.pack import Pack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.edge_bridge.fleet.api.served import Served


def test_an_alarm_is_raised_acknowledged_once_and_cleared_by_its_opposite(served: Served) -> None:
    pack = Pack()
    served.desk.hear(pack.birth(Gate_Verdict="allowed"), pack.data({"Gate/Verdict": "tripped"}))
    (alarm,) = served.get("/alarms")["events"]
    assert (alarm["node"], alarm["kind"], alarm["severity"], alarm["cleared_ms"]) == (
        "pack-1",
        "tripped",
        "critical",
        None,
    )
    assert "The gate tripped" in alarm["happened"]
    assert "before somebody resets" in alarm["advice"]
    path = f"/alarms/{alarm['id']}/acknowledge"
    acknowledged = served.ask("POST", path, json={"note": "I am on my way"})
    assert (acknowledged["acknowledged_by"], acknowledged["note"]) == ("local", "I am on my way")
    served.ask("POST", path, 409, json={})
    served.ask("POST", "/alarms/999/acknowledge", 404, json={})
    assert served.get("/alarms", acknowledged=False)["events"] == []
    assert len(served.get("/alarms", acknowledged=True)["events"]) == 1
    served.desk.hear(pack.data({"Gate/Verdict": "allowed"}))
    assert served.get("/alarms")["events"] == []
    assert served.get("/alarms", raised=False)["events"][0]["cleared_ms"] == served.desk.now.ms
    assert [event["kind"] for event in served.get("/events")["events"]] == ["allowed", "tripped", "online"]


def test_events_are_read_page_by_page(served: Served) -> None:
    for number in range(5):
        served.desk.hear(Pack(f"pack-{number}").birth())
    page = served.get("/events", limit=3)
    rest = served.get("/events", limit=3, cursor=page["next"])
    assert [event["node"] for event in page["events"] + rest["events"]] == [f"pack-{n}" for n in (4, 3, 2, 1, 0)]
    assert rest["next"] is None
    assert [event["node"] for event in served.get("/events", node="pack-3")["events"]] == ["pack-3"]


def find_broken(rows: Iterable[Any]) -> int | None:
    _, broken = find_broken_link(AuditRecord(*row) for row in rows)
    return broken and broken.number


@pytest.mark.parametrize("column", ["t_ms", "who", "hash", "prev_hash"])
def test_the_audit_is_a_chain_that_shows_a_change(served: Served, column: str) -> None:
    for number in range(3):
        pack = Pack(f"pack-{number}")
        served.desk.hear(pack.birth(Gate_Verdict="tripped"))
    for alarm in served.get("/alarms")["events"]:
        served.ask("POST", f"/alarms/{alarm['id']}/acknowledge", json={"note": "seen"})
    entries = served.get("/audit")["entries"]
    assert [(entry["id"], entry["action"]) for entry in entries] == [(n, "alarm.acknowledge") for n in (3, 2, 1)]
    context = served.client.app.state.context
    chain = list(reversed(context.reader.read_audit(None, 10)))
    assert find_broken(chain) is None
    assert find_broken(chain[1:]) == 1
    with context.writer.begin() as connection:
        connection.exec_driver_sql(f"UPDATE audit SET {column} = '7' WHERE id = 2")  # noqa: S608  # our own name
    assert find_broken(reversed(context.reader.read_audit(None, 10))) == 2


def test_why_a_device_is_offline_is_answered_even_for_a_name_that_never_came(served: Served) -> None:
    pack = Pack()
    served.desk.hear(pack.birth(), pack.death())
    assert served.get("/devices/pack-1/why-offline")["findings"][0]["cause"] == "connection-ended"
    assert served.get("/devices/pack-7/why-offline")["findings"][0]["cause"] == "never-seen"


def test_an_operator_sees_a_conflict_of_rows_and_settles_it(served: Served) -> None:
    pack = Pack()
    served.desk.hear(pack.birth(), pack.row(1))
    served.desk.hear(pack.row(1, Pack_Voltage=99.0))
    (alarm,) = served.get("/alarms", raised=True)["events"]
    assert (alarm["node"], alarm["severity"], alarm["t_ms"]) == ("pack-1", "warning", served.desk.now.ms)
    assert "row 1 of boot" in alarm["detail"]
    served.ask("POST", f"/alarms/{alarm['id']}/acknowledge", json={"note": "two packs with one key"})
    assert served.get("/alarms", raised=True)["events"] == []
    served.desk.hear(pack.row(1, Pack_Voltage=98.0))
    assert len(served.get("/alarms", raised=True)["events"]) == 1, "it is told again"
