"""Flipped bits in an outbox: no row is used whose checksum is wrong, each is set aside, named and counted."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from edge_bridge.edge.outbox import Outbox
from edge_bridge.edge.row import RowKey
from tests.edge_bridge.edge.rows import BOOT, NEXT, everything, gaps

if TYPE_CHECKING:
    from pathlib import Path

ROWS, LATER = 60, "00000000000000cc"
FIRST_VERSION = """
    CREATE TABLE row(
        place INTEGER PRIMARY KEY, boot TEXT NOT NULL, seq INTEGER NOT NULL, t_ms INTEGER NOT NULL,
        put_s REAL NOT NULL, gap INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE(boot, seq));
    CREATE INDEX raw ON row(place) WHERE gap = 0;
    CREATE TABLE boot(
        boot TEXT PRIMARY KEY, last INTEGER NOT NULL, stored INTEGER NOT NULL, evicted INTEGER NOT NULL);
    PRAGMA application_id = 1346522968;
    PRAGMA user_version = 1;
"""


def fill(outbox: Outbox, rows: int = ROWS) -> None:
    for number in range(1, rows + 1):
        outbox.put({"Pack/Current": 1000.0 + number}, 1_000 + number, 0.0)
    outbox.commit(2_000, 0.0)


def made(path: Path) -> bytes:
    """An outbox of 60 rows, of which 1 to 10 were acknowledged."""
    with closing(Outbox(path, BOOT)) as outbox:
        fill(outbox)
        assert outbox.acknowledge(BOOT, [(1, 10)]) == 10
    return path.read_bytes()


def change(path: Path, statement: str, *values: object) -> None:
    """Change a table as a flipped bit does: without its indexes, which SQLite would keep in step."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA writable_schema = ON")
        indexes = database.execute("SELECT * FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        database.execute("DELETE FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        database.commit()
    with closing(sqlite3.connect(path)) as database:
        database.execute(statement, values)
        database.execute("PRAGMA writable_schema = ON")
        database.executemany("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", indexes)
        database.commit()


def check(outbox: Outbox, damaged: set[int], boot: str = BOOT) -> None:
    """All but `damaged` wait as they were, these are named, and the sum is right, also after another restart."""
    rows = everything(outbox)
    values = {row.key: row.values["Pack/Current"] for row in rows if "Pack/Current" in row.values}
    assert values == {RowKey(boot, n): 1000.0 + n for n in range(11, ROWS + 1) if n not in damaged}
    assert gaps(rows) == {RowKey(boot, number) for number in damaged}
    assert (outbox.damaged, outbox.evicted) == (len(damaged), len(damaged))
    assert outbox.produced == outbox.stored + outbox.depth + outbox.evicted
    assert outbox.acknowledge(boot, [(1, ROWS)]) == ROWS - 10 - len(damaged)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("body", '{"Pack/Current": 9999.0}'),
        ("body", '{"Pack/Curr'),
        ("body", b"\xff\xfe"),
        ("body", None),
        ("t_ms", 7),
        ("put_s", None),
        ("gap", 1),
        ("seq", 2_031),
        ("seq", 32),
        ("seq", "x"),
        ("boot", "0000000000000bad"),
        ("boot", None),
        ("place", 4_000),
        ("crc", 0),
    ],
)
def test_a_row_with_a_flipped_value_is_set_aside_named_and_counted(tmp_path: Path, column: str, value: object) -> None:
    path = tmp_path / "o.sqlite"
    made(path)
    change(path, f"UPDATE row SET {column} = ? WHERE seq = 31", value)  # noqa: S608  # our own names
    with closing(Outbox(path, NEXT)) as outbox:
        assert f"31 of boot {BOOT}" in outbox.notice
        check(outbox, {31})
        aside = outbox._database.execute("SELECT count(*) FROM bad_row")  # pyright: ignore[reportPrivateUsage]
        assert aside.fetchone() == (1,)
    with closing(Outbox(path, LATER)) as again:
        assert not again.notice
        assert (again.damaged, again.produced) == (1, again.stored + again.depth + again.evicted)


def test_a_text_that_is_not_utf_8_is_only_a_damaged_row(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    octets = bytearray(made(path))
    place = octets.index(b'"Pack/Current": 1042')
    octets[place + 3] ^= 0x80
    path.write_bytes(bytes(octets))
    with closing(Outbox(path, NEXT)) as outbox:
        check(outbox, {42})


def test_a_row_that_is_damaged_while_the_edge_runs_is_not_sent(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT)) as outbox:
        fill(outbox)
        outbox._database.execute("UPDATE row SET t_ms = 5 WHERE seq = 50")  # pyright: ignore[reportPrivateUsage]
        rows = outbox.due(100, 0.0)
        assert gaps(rows) == {RowKey(BOOT, 50)}
        assert {row.key.seq for row in rows} == {*range(1, ROWS + 2)} - {50}
        assert "50 of boot" in outbox.notice


def test_a_damaged_row_is_not_evicted_under_a_wrong_number(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT, capacity_rows=100)) as outbox:
        fill(outbox, 100)
        outbox._database.execute("UPDATE row SET body = '{}' WHERE seq = 2")  # pyright: ignore[reportPrivateUsage]
        fill(outbox, 50)
        rows = everything(outbox)
        assert gaps(rows) | {row.key for row in rows} == {RowKey(BOOT, n) for n in range(1, outbox.newest + 1)}
        assert outbox.damaged == 1
        assert outbox.produced == outbox.stored + outbox.depth + outbox.evicted


def test_a_damaged_gap_row_is_replaced_by_one_that_names_no_less(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    with closing(Outbox(path, BOOT, capacity_rows=100)) as outbox:
        fill(outbox, 100)
        fill(outbox, 50)
        before = gaps(everything(outbox))
        assert before
    change(path, "UPDATE row SET body = replace(body, '1', '3') WHERE gap = 1")
    with closing(Outbox(path, NEXT, capacity_rows=1_000)) as after:
        rows = everything(after)
        waiting = {row.key for row in rows}
        assert before <= gaps(rows)
        assert not gaps(rows) & waiting
        assert {key for key in gaps(rows) | waiting if key.boot == BOOT} == {
            RowKey(BOOT, n) for n in range(1, after.boots[BOOT] + 1)
        }
        assert after.produced == after.stored + after.depth + after.evicted


@pytest.mark.parametrize("column", ["last", "stored", "evicted", "crc", "boot"])
def test_damaged_counts_are_made_anew_from_the_rows(tmp_path: Path, column: str) -> None:
    path = tmp_path / "o.sqlite"
    made(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"UPDATE boot SET {column} = ?", ("ffff" if column == "boot" else 3,))  # noqa: S608  # only names of our own
        database.commit()
    with closing(Outbox(path, NEXT)) as outbox:
        assert "count of the outbox was damaged" in outbox.notice
        assert (outbox.produced, outbox.stored, outbox.depth) == (60, 10, 50)
    with closing(Outbox(path, LATER)) as again:
        assert not again.notice


def test_a_damaged_index_is_built_again(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    octets = bytearray(made(path))
    with closing(sqlite3.connect(path)) as database:
        ((page,),) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'row_key'").fetchall()
    start = (page - 1) * 4096
    place = octets.index(BOOT.encode(), start)
    assert place < start + 4096
    octets[place + 15] ^= 1
    path.write_bytes(bytes(octets))
    with closing(Outbox(path, NEXT)) as outbox:
        assert "index" in outbox.notice
        assert outbox.depth == 50
        assert outbox.acknowledge(BOOT, [(11, 60)]) == 50


def test_an_outbox_of_the_version_before_is_converted(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(FIRST_VERSION)
        rows: list[tuple[Any, ...]] = [
            (BOOT, n, 1_000 + n, 0.0, 0, f'{{"Pack/Current": {1000.0 + n}}}') for n in range(11, ROWS + 1)
        ]
        rows[20] = (*rows[20][:5], '{"Pack/Curr')
        database.executemany("INSERT INTO row(boot, seq, t_ms, put_s, gap, body) VALUES(?, ?, ?, ?, ?, ?)", rows)
        database.execute("INSERT INTO boot VALUES(?, ?, 10, 0)", (BOOT, ROWS))
        database.commit()
    with closing(Outbox(path, NEXT)) as outbox:
        assert f"31 of boot {BOOT}" in outbox.notice
        check(outbox, {31})
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (3,)


def test_no_flipped_bit_stops_an_edge_or_changes_a_value(tmp_path: Path) -> None:
    """Any bit of the file: what is sent is what was measured, and what is not sent is named or in the file aside."""
    good, dice = made(tmp_path / "o.sqlite"), random.Random(11)
    used = [place for place, octet in enumerate(good) if octet]
    told = {"set aside": 0, "renamed": 0, "count": 0}
    for number in range(150):
        path = tmp_path / f"{number}.sqlite"
        octets = bytearray(good)
        place = dice.choice(used)
        octets[place] ^= 1 << dice.randrange(8)
        path.write_bytes(bytes(octets))
        with closing(Outbox(path, NEXT)) as outbox:
            for words in told:
                told[words] += words in outbox.notice
            rows = everything(outbox)
            values = {row.key: row.values for row in rows if "Pack/Current" in row.values}
            assert all(dict(values[key]) == {"Pack/Current": 1000.0 + key.seq} for key in values), place
            if "renamed" not in outbox.notice:
                waiting = {row.key for row in rows if row.key.boot == BOOT}
                produced = {RowKey(BOOT, n) for n in range(11, ROWS + 1)}
                assert produced <= waiting | gaps(rows), (place, outbox.notice)
                assert not waiting & gaps(rows)
                assert outbox.produced == outbox.stored + outbox.depth + outbox.evicted
                outbox.acknowledge(BOOT, [(1, ROWS)])
                outbox.acknowledge(NEXT, [(1, outbox.newest)])
                assert outbox.depth == 0, place
            fill(outbox, 3)
        path.unlink()
    assert told["set aside"] > 20
