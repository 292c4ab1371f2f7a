"""The drill: a database is destroyed and restored from a backup; the edges send again what it lost since."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from edge_bridge.edge.outbox import Outbox
from edge_bridge.fleet.backup.run_backup import make_backup, restore_backup
from edge_bridge.sparkplug.acks import parse_acks
from tests.edge_bridge.edge.sending_edge import BOOT, SendingEdge, stored
from tests.edge_bridge.fleet.pack import Desk, asked

pytest.importorskip("edge_bridge.fleet.resend_plan", reason="edges do not keep acknowledged rows yet")


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'fleet.db'}"
    return request.getfixturevalue("server").make_database()


def open_desk(where: str) -> Desk:
    url: Any = where  # a desk takes a URL as well as a path
    return Desk(url)


def destroy(where: str, schema: str) -> None:
    if where.startswith("sqlite"):
        for path in Path(where.removeprefix("sqlite:///")).parent.glob("fleet.db*"):
            path.unlink()
        return
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE; CREATE SCHEMA {schema}".encode())


def ignore(done: int, total: int) -> None:
    """Nobody reads the progress here."""


def send(edge: SendingEdge, desk: Desk, rows: int) -> None:
    edge.desk = desk
    edge.rows(rows)
    edge.up()
    edge.drain()


def ask(edge: SendingEdge, desk: Desk) -> int:
    """Ask the edge for what the database lacks, as a host does in its turns."""
    resends: Any = getattr(desk.host, "resends")  # noqa: B009  # an earlier host has none
    store: Any = desk.store
    outbox: Any = edge.outbox
    count = 0
    for node, kept in resends.due_checks(desk.now.mono_s):
        for text in resends.note_missing(node, store.find_missing(node, kept), desk.now.mono_s):
            count += 1
            for boot, ranges in parse_acks(text).items():
                outbox.resend(boot, ranges)
    return count


def test_after_a_restore_the_edges_send_what_was_lost_and_nothing_is_missing(where: str, tmp_path: Path) -> None:
    file = tmp_path / "fleet.backup"
    desk = open_desk(where)
    schema = "" if where.startswith("sqlite") else asked(desk.store, "SELECT current_schema()")[0][0]
    with closing(Outbox(tmp_path / "o.sqlite", BOOT)) as outbox:
        edge = SendingEdge(tmp_path, desk, outbox)
        send(edge, desk, 120)
        assert make_backup(where, file, datetime.now(UTC), ignore, pytest.fail).rows == 120
        send(edge, desk, 80)  # acknowledged after the backup: only the edge has them once the database is gone
        assert (len(stored(edge)), outbox.depth) == (200, 0)
        desk.close()

        destroy(where, schema)
        assert restore_backup(file, where, replace=False, report=ignore).rows == 120

        desk = open_desk(where)
        edge.desk = desk
        edge.up()
        edge.to_fleet()
        assert desk.store.read_totals().missing == 80  # the birth names the newest row, so nothing is lost unseen
        assert ask(edge, desk) > 0
        edge.drain()
        assert stored(edge) == set(range(1, 201))
        (node,) = desk.store.summary()
        assert (node.stored, node.missing, node.duplicates) == (200, 0, 0)
        desk.close()
