"""Rows that follow those before them are stored a shorter way: with the same result as by the long one."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_bridge.fleet.store.open_store import open_store
from edge_bridge.fleet.store.ordered_rows import NewestRows, OrderedRows
from edge_bridge.fleet.store.records import Batch, Birth
from edge_bridge.fleet.store.tables import DAY_MS
from edge_bridge.row_span import RowSpan
from tests.contracts.test_store_contract import T_MS, only, row
from tests.edge_bridge.fleet.pack import asked

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from edge_bridge.fleet.row import StoredRow
    from edge_bridge.fleet.store.port import FleetStore

TABLES = ("row", "boot", "gap", "hour_block", "stale_hour", "counter")
BOOTS = ("0a", "0b")


@pytest.fixture(params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[tuple[FleetStore, FleetStore]]:
    """Two new databases of one kind."""
    if request.param == "sqlite":
        places = [f"sqlite:///{tmp_path / name}.db" for name in ("short", "long")]
    else:
        server = request.getfixturevalue("server")
        places = [server.make_database(), server.make_database()]
    with ExitStack() as stack:
        one, other = (stack.enter_context(closing(open_store(place))) for place in places)
        yield one, other


def make_rows(words: Sequence[tuple[str, int, int]], seqs: dict[str, int]) -> list[StoredRow]:
    """Rows that mostly go on one by one after `seqs`: by boot, how far on, and a kind of trouble."""
    found: list[StoredRow] = []
    for boot, step, trouble in words:
        seqs[boot] = max(1, seqs[boot] + step)
        seq = seqs[boot]
        gap = RowSpan(boot, max(1, seq - 5), max(1, seq - 2)) if trouble == 1 else None
        t_ms = T_MS + seq * 1_000 + (DAY_MS if trouble == 2 else 0)
        found.append(row(seq, boot, gap, t_ms, 80.0 + (trouble == 3)))
    return found


STEP = st.sampled_from([1, 1, 1, 1, 1, 1, 2, 5, 0, -1, -4])
WORDS = st.lists(st.tuples(st.sampled_from(BOOTS), STEP, st.sampled_from([0] * 12 + [1, 2, 3])), max_size=12)
BATCHES = st.lists(st.tuples(WORDS, st.one_of(st.none(), st.tuples(st.sampled_from(BOOTS), st.integers(1, 20)))))


def choose_none(_: NewestRows, rows: Sequence[StoredRow]) -> OrderedRows:
    return OrderedRows(others=rows)


def read_all(store: FleetStore) -> dict[str, list[Any]]:
    return {table: sorted(asked(store, f"SELECT * FROM {table}"), key=repr) for table in TABLES}  # noqa: S608  # ours


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(BATCHES)
def test_both_ways_leave_the_same_tables_counts_and_answers(
    pair: tuple[FleetStore, FleetStore], batches: list[Any]
) -> None:
    short, long = pair
    for store in pair:
        if asked(store, "SELECT count(*) FROM boot") != [(0,)]:
            store.forget("pack-1", delete_rows=True)
    seqs: dict[str, int] = dict.fromkeys(BOOTS, 0)
    for words, claim in batches:
        rows = make_rows(words, seqs)
        births = [Birth("pack-1", T_MS, 0, None, claim, "pulsebms")] if claim else []
        answers = [short.commit(Batch(list(rows), list(births)))]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(NewestRows, "choose", choose_none)
            answers.append(long.commit(Batch(list(rows), list(births))))
        assert answers[0] == answers[1]
    assert read_all(short) == read_all(long)
    assert short.read_totals() == long.read_totals()
    assert dict(short.count_rows()) == dict(long.count_rows())


def test_what_is_remembered_wrongly_costs_time_and_no_row(where: str) -> None:
    with closing(open_store(where)) as store:
        store.commit(Batch([row(1), row(2), row(3)]))
        with pytest.MonkeyPatch.context() as patch:
            chosen = OrderedRows([row(2), row(3), row(4)], {("pack-1", "0a"): 4})
            choices = [chosen]

            def choose(self: NewestRows, rows: Sequence[StoredRow]) -> OrderedRows:
                return choices.pop() if choices else choose_none(self, rows)

            patch.setattr(NewestRows, "choose", choose)
            result = store.commit(Batch([row(2), row(3), row(4)]))
        assert choices == []
        assert (result.new, result.duplicates, only(store).stored) == (1, 2, 4)
        assert (store.read_totals().produced, store.read_totals().stored) == (4, 4)


@pytest.mark.parametrize("where", ["postgresql"], indirect=True)
def test_rows_of_two_hosts_in_turns_are_each_stored_once(where: str) -> None:
    with closing(open_store(where)) as one, closing(open_store(where)) as other:
        for seq in range(1, 9, 2):
            assert one.commit(Batch([row(seq), row(seq + 1)])).new == 2
            assert other.commit(Batch([row(seq), row(seq + 1)])).duplicates == 2
        assert other.commit(Batch([row(9)])).new == 1
        assert one.commit(Batch([row(9, voltage_v=1.0), row(10)])).conflicts == 1
        assert (only(one).stored, only(one).duplicates) == (10, 0)
