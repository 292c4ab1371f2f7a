from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from edge_bridge.fleet.process import FleetHost
from edge_bridge.mqtt import LinkUp
from tests.edge_bridge.fleet.pack import Desk, Pack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pytest

    from edge_bridge.fleet.row import StoredRow
    from edge_bridge.fleet.store.records import NodeRecord
    from edge_bridge.mqtt import LinkEvent


class Listener:
    def __init__(self) -> None:
        self.rows, self.notes = list["StoredRow"](), dict[str, "NodeRecord"]()

    def handle_decoded(self, rows: Sequence[StoredRow], notes: Mapping[str, NodeRecord]) -> None:
        self.rows += rows
        self.notes |= notes


def test_a_tap_gets_rows_in_their_order_and_the_state_of_each_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack, tap = Pack(), Listener()
    events: list[LinkEvent] = [LinkUp(None, 1), pack.birth(), pack.row(2), pack.row(1, Pack_SoC=0.5), Pack("x").row(1)]

    def poll(wait_s: float) -> list[LinkEvent]:
        del wait_s
        return [events.pop(0) for _ in range(len(events))]

    with closing(
        FleetHost("mqtt://127.0.0.1:9", tmp_path / "fleet.db", lambda: Desk.START, take_over=True, tap=tap)
    ) as fleet:
        monkeypatch.setattr(fleet._link, "poll", poll)  # pyright: ignore[reportPrivateUsage]
        fleet.turn(0.0)
        assert [row.seq for row in tap.rows] == [2, 1]
        assert tap.notes.keys() == {"pack-1"}
        assert tap.notes["pack-1"].status["Pack/SoC"] == 0.5
        fleet.turn(0.0)
        assert len(tap.rows) == 2
