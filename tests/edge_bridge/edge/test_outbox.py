from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import Refused
from edge_bridge.edge.outbox import IN_FLIGHT, LIVE_S, MAX_RESEND_S, RESEND_S, Outbox
from edge_bridge.edge.row import OutboxRow, RowKey, find_spans
from edge_bridge.metrics import GAP_BOOT
from tests.edge_bridge.edge.rows import BOOT, NEXT, everything, gaps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY_MS = 86_400_000


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with closing(Outbox(tmp_path / "outbox.sqlite", BOOT)) as opened:
        yield opened


def filled(outbox: Outbox, rows: int, *, now_s: float = 0.0, t_ms: int = 0) -> None:
    for number in range(rows):
        outbox.put({"Pack/Current": float(number)}, t_ms + number, now_s)
        outbox.commit(t_ms + number, now_s)


def numbers(rows: list[OutboxRow]) -> list[int]:
    return [row.key.seq for row in rows]


def test_rows_are_numbered_from_one_and_sent_newest_first(outbox: Outbox) -> None:
    filled(outbox, 5)
    assert numbers(outbox.due(3, 0.0)) == [5, 4, 3]


def test_a_row_is_not_sent_before_it_is_committed(outbox: Outbox) -> None:
    outbox.put({}, 0, 0.0)
    assert outbox.due(10, 0.0) == []
    outbox.commit(0, 0.0)
    assert numbers(outbox.due(10, 0.0)) == [1]


def test_a_sent_row_is_due_again_only_after_its_time(outbox: Outbox) -> None:
    filled(outbox, 2)
    outbox.mark_sent(outbox.due(1, 10.0), 10.0)
    assert numbers(outbox.due(10, 10.0 + 0.9 * RESEND_S)) == [1]
    assert numbers(outbox.due(10, 10.0 + RESEND_S)) == [2, 1]


def test_a_row_that_nobody_acknowledges_is_sent_less_often(outbox: Outbox) -> None:
    filled(outbox, 1)
    sent_s = list[float]()
    for tenths in range(1_000):
        if due := outbox.due(10, tenths / 10):
            outbox.mark_sent(due, tenths / 10)
            sent_s.append(tenths / 10)
    waits = [later - earlier for earlier, later in itertools.pairwise(sent_s)]
    assert waits == pytest.approx([RESEND_S] + [MAX_RESEND_S] * (len(waits) - 1), abs=0.11)
    assert len(waits) > 6
    outbox.mark_unsent()  # a new connection: as if it had never been sent
    outbox.mark_sent(outbox.due(1, 600.0), 600.0)
    assert numbers(outbox.due(1, 600.0 + RESEND_S)) == [1]


def test_rows_that_nobody_acknowledges_do_not_hold_up_new_ones(outbox: Outbox) -> None:
    filled(outbox, 20)
    for second in range(400):
        outbox.mark_sent(outbox.due(10, float(second)), float(second))
    filled(outbox, 1)
    assert numbers(outbox.due(1, 400.0)) == [21]


def test_acknowledged_rows_leave_and_are_counted(outbox: Outbox) -> None:
    filled(outbox, 10)
    assert outbox.acknowledge(BOOT, [(1, 4), (9, 9)]) == 5
    assert (outbox.depth, outbox.stored, outbox.produced) == (5, 5, 10)
    assert numbers(outbox.due(10, 0.0)) == [10, 8, 7, 6, 5]


def test_an_acknowledgement_twice_counts_once(outbox: Outbox) -> None:
    filled(outbox, 3)
    assert outbox.acknowledge(BOOT, [(1, 2), (2, 2), (1, 1)]) == 2
    assert outbox.acknowledge(BOOT, [(1, 2)]) == 0
    assert outbox.stored == 2


@pytest.mark.parametrize("wild", [(0, 0), (5, 3), (4, 9), (-3, 0), (4, 1 << 70)])
def test_an_acknowledgement_of_rows_that_never_were_deletes_nothing(outbox: Outbox, wild: tuple[int, int]) -> None:
    filled(outbox, 3)
    assert outbox.acknowledge(BOOT, [wild]) == 0
    assert outbox.depth == 3


def test_an_acknowledgement_of_an_unknown_boot_deletes_nothing(outbox: Outbox) -> None:
    filled(outbox, 3)
    assert outbox.acknowledge("ffff", [(1, 3)]) == 0
    assert outbox.depth == 3


def test_rows_survive_a_restart_under_their_old_boot(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT)) as before:
        filled(before, 3)
        before.mark_sent(before.due(2, 0.0), 0.0)
    with closing(Outbox(tmp_path / "o.sqlite", NEXT)) as after:
        filled(after, 1)
        keys = [row.key for row in after.due(10, 0.0)]
        assert keys == [RowKey(NEXT, 1), RowKey(BOOT, 3), RowKey(BOOT, 2), RowKey(BOOT, 1)]
        assert after.boots == {BOOT: 3, NEXT: 1}
        assert after.acknowledge(BOOT, [(1, 3)]) == 3


def test_a_boot_that_has_been_before_is_refused(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT)) as before:
        filled(before, 1)
    with pytest.raises(ValueError, match="make a new random one"):
        Outbox(tmp_path / "o.sqlite", BOOT)


def test_a_second_edge_on_the_same_folder_is_refused(tmp_path: Path, outbox: Outbox) -> None:
    with pytest.raises(Refused, match="other edge"):
        Outbox(tmp_path / "outbox.sqlite", NEXT)
    assert outbox.depth == 0


def test_rows_of_this_boot_are_live_only_while_they_are_young(outbox: Outbox) -> None:
    filled(outbox, 1, now_s=100.0)
    assert [row.live for row in outbox.due(1, 100.0)] == [True]
    assert [row.live for row in outbox.due(1, 100.0 + LIVE_S)] == [False]


def test_rows_of_another_boot_are_never_live(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT)) as before:
        filled(before, 1, now_s=100.0)
    with closing(Outbox(tmp_path / "o.sqlite", NEXT)) as after:
        assert [row.live for row in after.due(1, 100.0)] == [False]


@pytest.mark.parametrize("jump_ms", [-DAY_MS, DAY_MS])
def test_a_wall_clock_that_jumps_changes_stamps_and_nothing_else(outbox: Outbox, jump_ms: int) -> None:
    filled(outbox, 2, t_ms=10 * DAY_MS)
    filled(outbox, 2, t_ms=10 * DAY_MS + jump_ms, now_s=1.0)
    rows = outbox.due(10, 1.0)
    assert numbers(rows) == [4, 3, 2, 1]
    assert [row.t_ms - 10 * DAY_MS for row in rows] == [jump_ms + 1, jump_ms, 1, 0]
    outbox.mark_sent(rows, 1.0)
    assert outbox.due(10, 1.5) == []
    assert len(outbox.due(10, 1.0 + RESEND_S)) == 4


def test_not_more_rows_fly_than_a_host_can_answer(outbox: Outbox) -> None:
    filled(outbox, IN_FLIGHT + 5)
    outbox.mark_sent(outbox.due(IN_FLIGHT + 5, 0.0), 0.0)
    assert outbox.due(10, 0.1) == []
    outbox.acknowledge(BOOT, [(IN_FLIGHT, IN_FLIGHT + 5)])
    assert numbers(outbox.due(10, 0.1)) == [5, 4, 3, 2, 1]


def test_a_lost_connection_makes_everything_due(outbox: Outbox) -> None:
    filled(outbox, 3)
    outbox.mark_sent(outbox.due(3, 0.0), 0.0)
    outbox.mark_unsent()
    assert numbers(outbox.due(3, 0.0)) == [3, 2, 1]


def test_a_full_outbox_evicts_its_oldest_rows_and_names_them(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT, capacity_rows=100)) as outbox:
        filled(outbox, 150)
        assert outbox.depth <= 101
        produced = {RowKey(BOOT, seq) for seq in range(1, outbox.produced + 1)}
        rows = everything(outbox)
        assert gaps(rows) | {row.key for row in rows} == produced
        assert not gaps(rows) & {row.key for row in rows}
        assert min(key.seq for key in gaps(rows)) == 1
        assert len(gaps(rows)) == outbox.evicted


def test_a_gap_that_was_not_sent_grows_until_the_rows_reach_its_own_number(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT, capacity_rows=100)) as outbox:
        filled(outbox, 400)
        rows = everything(outbox)
        assert sum(GAP_BOOT in row.values for row in rows) <= 400 // 100


def test_a_gap_that_was_sent_stays_as_it_was_told(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT, capacity_rows=100)) as outbox:
        filled(outbox, 101)
        told = {row.key: dict(row.values) for row in outbox.due(200, 0.0) if GAP_BOOT in row.values}
        assert len(told) == 1
        outbox.mark_sent(outbox.due(200, 0.0), 0.0)
        filled(outbox, 20)
        later = {row.key: dict(row.values) for row in everything(outbox) if GAP_BOOT in row.values}
        assert told.items() <= later.items()
        assert len(later) > 1


def test_holes_that_acknowledgements_left_do_not_make_a_full_outbox_outgrow_its_capacity(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT, capacity_rows=100)) as outbox:
        stored: list[OutboxRow] = []
        for _ in range(200):
            filled(outbox, 3)
            newest = outbox.due(1, 0.0)
            stored += newest
            assert outbox.acknowledge(BOOT, [(newest[0].key.seq, newest[0].key.seq)]) == 1
            assert outbox.depth <= 101
        rows = everything(outbox)
        assert sum(GAP_BOOT in row.values for row in rows) <= 600 // 100
        named, held = gaps(rows + stored), {row.key for row in rows + stored}
        assert named | held == {RowKey(BOOT, seq) for seq in range(1, outbox.newest + 1)}
        assert len(named - held) == outbox.evicted


def test_gaps_of_an_earlier_boot_name_that_boot(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT, capacity_rows=100)) as before:
        filled(before, 100)
    with closing(Outbox(tmp_path / "o.sqlite", NEXT, capacity_rows=100)) as after:
        filled(after, 10)
        named = gaps(everything(after))
        assert {key.boot for key in named} == {BOOT}


def test_a_file_of_another_program_is_put_aside_and_said(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs(x)")
    with closing(Outbox(path, BOOT)) as outbox:
        assert "another program" in outbox.notice
        filled(outbox, 1)
        assert outbox.depth == 1
    assert (tmp_path / "o.sqlite.broken-1").exists()


@pytest.mark.parametrize(
    "garbage", [b"\0" * 5_000, b"not a database at all" * 400, b"SQLite format 3\0" + b"\xff" * 9_000]
)
def test_a_file_of_garbage_is_put_aside_and_said(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "o.sqlite"
    path.write_bytes(garbage)
    with closing(Outbox(path, BOOT)) as outbox:
        assert "broken-1" in outbox.notice
        filled(outbox, 1)
        assert numbers(outbox.due(1, 0.0)) == [1]


def test_an_outbox_that_was_damaged_in_the_middle_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    with closing(Outbox(path, BOOT)) as outbox:
        filled(outbox, 200)
    octets = bytearray(path.read_bytes())
    octets[4_096 : 3 * 4_096] = b"\xee" * (2 * 4_096)
    path.write_bytes(bytes(octets))
    with closing(Outbox(path, NEXT)) as after:
        assert "could not be read" in after.notice
        assert after.depth == 0


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from(["put", "ack", "send", "restart"]), st.integers(1, 30)), max_size=30))
def test_produced_is_always_stored_or_waiting_or_named(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    path = tmp_path_factory.mktemp("law") / "o.sqlite"
    boots, stored, told = 1, set[RowKey](), list[OutboxRow]()
    outbox = Outbox(path, f"{boots:016x}", capacity_rows=40)
    for what, count in steps:
        match what:
            case "put":
                filled(outbox, count)
            case "send":
                outbox.mark_sent(outbox.due(count, 0.0), 0.0)
            case "ack":
                outbox.mark_unsent()
                for row in outbox.due(count, 0.0)[::2]:
                    assert outbox.acknowledge(row.key.boot, [(row.key.seq, row.key.seq)]) == 1
                    stored.add(row.key)
                    told.append(row)
            case _:
                outbox.close()
                boots += 1
                outbox = Outbox(path, f"{boots:016x}", capacity_rows=40)
        assert outbox.produced == outbox.stored + outbox.depth + outbox.evicted
    produced = {RowKey(boot, seq) for boot, last in outbox.boots.items() for seq in range(1, last + 1)}
    rest = everything(outbox)
    outbox.close()
    waiting, named = {row.key for row in rest}, gaps(rest + told)
    assert stored | waiting | named == produced
    assert not stored & waiting
    assert not named & waiting


def test_spans_are_the_fewest_that_name_the_keys() -> None:
    keys = [RowKey("b", 2), RowKey("a", 3), RowKey("b", 1), RowKey("a", 5), RowKey("a", 4)]
    assert [(span.boot, span.first, span.last) for span in find_spans(keys)] == [("a", 3, 5), ("b", 1, 2)]
