"""Rows, their past, and how complete they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.edge_bridge.fleet.pack import BOOT, START_MS, Pack

if TYPE_CHECKING:
    from tests.edge_bridge.fleet.api.served import Served

SPAN = {"from_ms": START_MS - 1, "to_ms": START_MS + 100_000}


def test_the_newest_row_is_that_of_the_newest_boot(served: Served) -> None:
    old, new = Pack(boot="0f"), Pack(boot="0a")
    served.desk.hear(old.birth(), old.row(9))
    served.desk.hear(new.birth(), new.row(1, START_MS + 5), new.row(2, START_MS + 6))
    row = served.get("/devices/pack-1/latest")
    assert (row["boot"], row["seq"], row["t_ms"], row["values"]["voltage_v"]) == ("0a", 2, START_MS + 6, 82.0)
    served.get("/devices/pack-2/latest", 404)


def test_rows_are_read_page_by_page_over_boots(served: Served) -> None:
    keys = list[tuple[str, int]]()
    for boot, first_ms in (("0f", START_MS), ("0a", START_MS + 50)):
        pack = Pack(boot=boot)
        served.desk.hear(pack.birth(), *(pack.row(seq, first_ms + seq) for seq in range(1, 6)))
        keys += [(boot, seq) for seq in range(1, 6)]
    found, cursor = list[tuple[str, int]](), None
    while True:
        page = served.get("/devices/pack-1/rows", limit=3, **SPAN, **({"cursor": cursor} if cursor else {}))
        found += [(row["boot"], row["seq"]) for row in page["rows"]]
        if not (cursor := page["next"]):
            break
    assert found == keys
    part = served.get("/devices/pack-1/rows", from_ms=START_MS + 4, to_ms=START_MS + 52)
    assert [(row["boot"], row["seq"]) for row in part["rows"]] == [("0f", 4), ("0f", 5), ("0a", 1)]
    served.get("/devices/pack-1/rows", 422, from_ms=5, to_ms=5)


def test_history_has_so_many_points_at_most(served: Served) -> None:
    pack = Pack()
    served.desk.hear(pack.birth(), *(pack.row(seq, START_MS + 1_000 * seq) for seq in range(1, 100)))
    body = served.get("/devices/pack-1/history", columns=["voltage_v", "soc"], points=10, **SPAN)
    voltage = body["columns"]["voltage_v"]
    assert len(body["t_ms"]) <= 10
    assert sum(voltage["count"]) == 99
    assert (min(voltage["low"]), max(voltage["high"])) == (80.0, 89.0)
    assert set(body["columns"]["soc"]["mean"]) == {None}
    served.get("/devices/pack-1/history", 422, columns=["gate_verdict"], **SPAN)


def test_completeness_names_what_is_missing_and_gaps_what_was_evicted(served: Served) -> None:
    pack = Pack()
    served.desk.hear(pack.birth(), pack.row(3), pack.gap(9, 4, 6), pack.row(12))
    body = served.get("/devices/pack-1/completeness")
    assert {name: body[name] for name in ("produced", "stored", "named", "missing")} == {
        "produced": 12,
        "stored": 3,
        "named": 3,
        "missing": 6,
    }
    assert [(part["first"], part["last"]) for part in body["missing_rows"]] == [(1, 2), (7, 8), (10, 11)]
    assert body["is_whole_list"]
    assert served.get("/devices/pack-1/gaps")["gaps"] == [{"boot": BOOT, "first": 4, "last": 6}]
