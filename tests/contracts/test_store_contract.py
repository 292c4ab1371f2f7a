"""What every store of a fleet promises, on an SQLite file and on a real PostgreSQL server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.errors import StoreFailed, StoreUnreachable, Usage
from edge_bridge.fleet.columns import COLUMNS
from edge_bridge.fleet.row import StoredRow
from edge_bridge.fleet.store.open_store import open_store
from edge_bridge.fleet.store.records import MAX_BIRTHS, Batch, Birth, NodeEvent, NodeRecord
from edge_bridge.fleet.store.row_counts import MAX_CLAIMED
from edge_bridge.fleet.store.tables import DAY_MS
from edge_bridge.row_span import RowSpan
from tests.edge_bridge.fleet.pack import asked

if TYPE_CHECKING:
    from edge_bridge.fleet.store.port import FleetStore
    from edge_bridge.fleet.summary import NodeSummary

ROOT = Path(__file__).parents[2]
BOOT = "0a"
T_MS = 1_790_000_000_000
NOTHING = (None,) * len(COLUMNS)


def row(seq: int, boot: str = BOOT, gap: RowSpan | None = None, t_ms: int = T_MS, voltage_v: float = 80.0) -> StoredRow:
    values = (1.0, voltage_v, *NOTHING[2:])
    return StoredRow("pack-1", boot, seq, t_ms, historical=False, clock="", values=values, gap=gap)


def only(store: FleetStore) -> NodeSummary:
    (found,) = store.summary()
    return found


def figures(store: FleetStore) -> tuple[int, int, int, int]:
    found = only(store)
    return found.stored, found.named, found.missing, found.duplicates


def test_a_row_that_comes_again_is_stored_once_and_kept_twice(store: FleetStore) -> None:
    first, second = store.commit(Batch([row(1), row(1)])), store.commit(Batch([row(1), row(2)]))
    assert (first.new, first.duplicates, second.new, second.duplicates) == (1, 1, 1, 1)
    assert second.kept == {"pack-1": {BOOT: [1, 2]}}
    late = store.commit(Batch([replace(row(1), historical=True, clock="future")]))
    assert (late.new, late.conflicts) == (0, 0)
    assert figures(store) == (2, 0, 0, 0)


@pytest.mark.parametrize("in_one", [True, False])
@pytest.mark.parametrize(
    "other",
    [
        row(1, voltage_v=99.0),
        row(1, t_ms=T_MS + 1),
        row(1, t_ms=T_MS + DAY_MS),
        row(1, gap=RowSpan("0b", 1, 3)),
    ],
)
def test_a_row_that_says_something_else_is_a_conflict_and_changes_nothing(
    store: FleetStore, other: StoredRow, *, in_one: bool
) -> None:
    batches = [Batch([row(1), other])] if in_one else [Batch([row(1)]), Batch([other])]
    assert sum(store.commit(batch).conflicts for batch in batches) == 1
    assert store.read_counts("refused") == {"conflict": 1}
    assert asked(store, "SELECT t_ms, voltage_v, gap_boot FROM row") == [(T_MS, 80.0, None)]
    assert store.read_totals().stored == only(store).stored == 1
    ((node, kind, is_alarm, detail),) = asked(store, "SELECT node, kind, is_alarm, detail FROM event")
    assert (node, kind, bool(is_alarm)) == ("pack-1", "row-conflict", True)
    assert detail.startswith(f"row 1 of boot {BOOT} arrived again with other values")


def test_conflicts_raise_one_alarm_of_each_device_until_it_is_cleared(store: FleetStore) -> None:
    other = replace(row(1), node="pack-2")
    store.commit(Batch([row(1), row(2), other]))
    for t_ms in (T_MS, T_MS + 1):
        changed = [replace(one, t_ms=T_MS + 5) for one in (row(1), row(2), other)]
        assert store.commit(Batch(changed, t_ms=t_ms)).conflicts == 3
    found = asked(store, "SELECT node, t_ms, detail FROM event ORDER BY node")
    assert [(node, t_ms) for node, t_ms, _ in found] == [("pack-1", T_MS), ("pack-2", T_MS)]
    assert found[0][2].endswith("; 1 more rows in this batch")
    store.commit(Batch(events=[NodeEvent("pack-1", T_MS, "settled", "info", "", clears=("row-conflict",))]))
    store.commit(Batch([row(1, voltage_v=99.0)], t_ms=T_MS + 2))
    assert asked(store, "SELECT count(*) FROM event WHERE kind = 'row-conflict'") == [(3,)]


def test_every_value_comes_back_as_it_was(store: FleetStore) -> None:
    values: tuple[Any, ...] = (1e-300, -1e5, 0.1, None, 3.3, 3.4, 298.15, -(1 << 63), (1 << 63) - 1, "tripped", "ä€𝄞")
    whole = replace(row(1 << 48, t_ms=(1 << 63) - 1), values=(*values, *NOTHING[len(values) :]), clock="future")
    assert store.commit(Batch([whole])).new == 1
    assert store.commit(Batch([whole])).conflicts == 0
    names = ", ".join(column.name for column in COLUMNS)
    assert asked(store, f"SELECT {names} FROM row") == [whole.values]  # noqa: S608  # our own names


def test_rows_below_the_newest_that_nobody_explains_are_missing(store: FleetStore) -> None:
    store.commit(Batch([row(1), row(4), row(7)]))
    assert only(store).missing_rows == (f"{BOOT}:2-3", f"{BOOT}:5-6")
    assert store.read_totals().missing == only(store).missing == 4


def test_gaps_name_rows_once_and_rows_that_come_nevertheless_are_stored(store: FleetStore) -> None:
    store.commit(Batch([row(1), row(2), row(6, gap=RowSpan(BOOT, 2, 5))]))
    assert figures(store) == (3, 3, 0, 0)
    store.commit(Batch([row(4), row(9, gap=RowSpan(BOOT, 3, 8)), row(1, "0b", RowSpan("0c", 1, 30))]))
    assert figures(store) == (6, 34, 0, 0)  # 3, 5, 7, 8 and 30 of another boot
    assert store.read_totals().named == 34


ROWS = st.lists(st.tuples(st.sampled_from(["0a", "0b"]), st.integers(1, 30)), max_size=40)
GAPS = st.lists(st.tuples(st.sampled_from(["0a", "0b"]), st.integers(1, 20), st.integers(0, 9)), max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(ROWS, GAPS, st.randoms(use_true_random=False))
def test_running_counts_and_tables_agree_in_any_order(
    store: FleetStore, keys: list[tuple[str, int]], gaps: list[tuple[str, int, int]], random: Any
) -> None:
    """The independent count: sets of numbers in this test. The gaps may overlap."""
    if store.read_totals().produced:
        store.forget("pack-1", delete_rows=True)
    spans = [(boot, first, first + length) for boot, first, length in gaps]
    rows = [row(seq, boot) for boot, seq in keys]
    rows += [row(number, "0c", RowSpan(*span)) for number, span in enumerate(spans, 1)]
    random.shuffle(rows)
    for start in range(0, len(rows), 7):
        store.commit(Batch(rows[start : start + 7]))
    stored = {(one.boot, one.seq) for one in rows}
    named = {(boot, seq) for boot, first, last in spans for seq in range(first, last + 1)} - stored
    highest = dict[str, int]()
    for boot, seq in stored | named:
        highest[boot] = max(seq, highest.get(boot, 0))
    totals = store.read_totals()
    assert (totals.produced, totals.stored, totals.named) == (sum(highest.values()), len(stored), len(named))
    for found in store.summary():
        assert (found.produced, found.stored, found.named, found.missing) == (
            *(totals.produced, totals.stored, totals.named),
            totals.missing,
        )


def test_births_are_bounded_and_their_claims_too(store: FleetStore) -> None:
    births = [Birth("pack-1", T_MS, number, "a\0b", (BOOT, 1 << 48)) for number in range(MAX_BIRTHS + 5)]
    store.commit(Batch(births=births[:3]))
    store.commit(Batch(births=births[3:]))
    assert asked(store, "SELECT count(*), min(bd_seq) FROM birth") == [(MAX_BIRTHS, 5)]
    assert store.read_totals().produced == only(store).produced == 2 * MAX_CLAIMED


def test_a_database_is_found_again_as_it_was_left(where: str) -> None:
    note = NodeRecord("pack-1", online=True, last_ms=T_MS, status={"Bundle/Sha256": "ab" * 32, "Gate/Reason": "a\0b"})
    with closing(open_store(where)) as store:
        store.commit(Batch([row(1), row(9)], notes={"pack-1": note}, counts={("refused", "text"): 2}))
        store.commit(Batch(counts={("refused", "text"): 1}))
    with closing(open_store(where)) as store:
        assert (store.notices, store.read_nodes(), store.read_counts("refused")) == ([], [note], {"text": 3})
        assert (store.read_totals().stored, store.read_totals().missing, dict(store.count_rows())) == (
            *(2, 7),
            {"pack-1": 2},
        )
        assert only(store).bundle == "ab" * 32


def test_a_node_is_forgotten_with_its_rows_only_if_that_is_said(store: FleetStore) -> None:
    store.commit(Batch([row(1), replace(row(1), node="pack-2")]))
    with pytest.raises(Usage, match="pack-1 has 1 rows, which would be deleted; add --delete-rows"):
        store.forget("pack-1", delete_rows=False)
    assert store.forget("pack-1", delete_rows=True) == 1
    with pytest.raises(Usage, match="no node pack-1 is known"):
        store.forget("pack-1", delete_rows=True)
    assert (only(store).node, store.read_totals().stored) == ("pack-2", 1)


def test_a_node_without_a_place_keeps_its_rows_and_loses_its_claims(store: FleetStore) -> None:
    note = NodeRecord("pack-1", online=True, last_ms=None, status={})
    store.commit(Batch([row(1)], [Birth("pack-1", T_MS, 0, None, ("0b", 9))], {"pack-1": note}))
    store.commit(Batch(forgotten={"pack-1"}))
    assert (store.read_nodes(), store.read_totals().produced, only(store).produced) == ([], 1, 1)


WRITER = """
import sys
from edge_bridge.fleet.store.open_store import open_store
from edge_bridge.fleet.store.records import Batch
from tests.contracts.test_store_contract import row
store = open_store(sys.argv[1])
for start in range(1, 1_000_000, 10):
    kept = store.commit(Batch([row(seq) for seq in range(start, start + 10)])).kept["pack-1"]
    print(*(seq for seqs in kept.values() for seq in seqs), flush=True)
"""


def test_what_was_acknowledged_survives_sigkill(where: str) -> None:
    words = [sys.executable, "-c", WRITER, where]
    writer = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert writer.stdout is not None
    told = {int(seq) for _ in range(20) for seq in writer.stdout.readline().split()}
    os.kill(writer.pid, signal.SIGKILL)
    told |= {int(seq) for line in writer.stdout.read().split("\n")[:-1] for seq in line.split()}
    writer.stdout.close()
    writer.wait()
    with closing(open_store(where)) as store:
        there = {seq for (seq,) in asked(store, "SELECT seq FROM row")}
        assert len(told) >= 200
        assert told <= there
        assert (store.read_totals().stored, only(store).duplicates) == (len(there), 0)


def test_a_commit_that_fails_changes_nothing_and_the_next_one_works(store: FleetStore) -> None:
    store.commit(Batch([row(1)]))
    bad: Any = {("refused", "text"): 1, ("refused", None): 1}  # the last statement of the transaction fails
    with pytest.raises(StoreFailed) as failed:
        store.commit(Batch([row(2), row(3)], counts=bad))
    assert not isinstance(failed.value, StoreUnreachable), "the batch is the reason"
    assert (store.read_totals().stored, only(store).stored, store.read_counts("refused")) == (1, 1, {})
    assert store.commit(Batch([row(2)])).new == 1


def run_fleet(where: str, *words: str) -> tuple[int, dict[str, Any]]:
    """Run the verb with a broker of its own; return the exit status and its JSON object."""
    command = [sys.executable, str(ROOT / "main.py"), "fleet", *words, "--store", where, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def test_the_verb_uses_either_database(where: str) -> None:
    with closing(open_store(where)) as store:
        store.commit(Batch([row(1), row(3)]))
    status, body = run_fleet(where, "--broker", "local", "--duration", "1")
    assert (status, body["produced"], body["stored"], body["missing"]) == (0, 3, 2, 1)
    assert run_fleet(where, "forget", "pack-1", "--delete-rows")[1]["rows_deleted"] == 2


@pytest.mark.parametrize(
    ("where", "status", "code"),
    [("oracle://host/fleet", 2, "usage"), ("postgresql://u:secret@127.0.0.1:9/fleet", 3, "store")],
)
def test_the_verb_refuses_a_database_in_one_sentence(where: str, status: int, code: str) -> None:
    ended, body = run_fleet(where, "--broker", "local", "--duration", "1")
    assert (ended, body["error"]["code"]) == (status, code)
    assert "secret" not in json.dumps(body)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(StoreFailed) as failed:
        open_store("postgresql://anna:secret@127.0.0.1:9/fleet")
    assert "127.0.0.1" in failed.value.sentence
    assert "secret" not in failed.value.sentence


@pytest.mark.parametrize(
    "where",
    ["fleet.db", "mysql://host/fleet", "sqlite://", "sqlite://host/file", "postgresql://host", "postgresql://h:x/db"],
)
def test_a_url_that_names_no_database_of_a_fleet_is_refused(where: str) -> None:
    with pytest.raises(Usage) as refused:
        open_store(where)
    assert refused.value.key == "store"


def test_what_a_node_keeps_and_the_store_lacks_is_found(store: FleetStore) -> None:
    store.commit(Batch([row(seq) for seq in (1, 2, 3, 7, 8, 20)] + [row(21, gap=RowSpan(BOOT, 10, 12))]))
    kept = {BOOT: [(2, 30)], "0b": [(1, 5)]}
    assert store.find_missing("pack-1", kept) == {BOOT: [(4, 6), (9, 9), (13, 19), (22, 30)], "0b": [(1, 5)]}
    assert store.find_missing("pack-1", {BOOT: [(7, 8)]}) == {}
    assert store.find_missing("pack-1", {}) == {}
    assert store.find_missing("pack-2", {BOOT: [(7, 8)]}) == {BOOT: [(7, 8)]}
    store.commit(Batch([row(seq) for seq in (4, 5, 6, 9, *range(13, 20))]))
    assert store.find_missing("pack-1", {BOOT: [(1, 21)]}) == {}


def test_a_node_that_is_online_under_another_group_is_refused_as_a_whole(store: FleetStore) -> None:
    note = NodeRecord("pack-1", online=True, last_ms=T_MS, status={}, group="north")
    store.commit(Batch([row(1)], [Birth("pack-1", T_MS, 0, None, None, "north")], {"pack-1": note}))
    birth, other = Birth("pack-1", T_MS, 0, None, None, "south"), replace(note, group="south")
    batch = Batch([row(2)], [birth], {"pack-1": other}, [NodeEvent("pack-1", T_MS, "online", "info", "")])
    refused = store.commit(batch)
    assert (set(refused.strangers), refused.new, refused.kept) == ({"pack-1"}, 0, {})
    assert store.read_counts("refused")["other_group"] == 1
    assert (dict(batch.counts), asked(store, "SELECT count(*) FROM event")) == ({}, [(0,)])
    assert [known.group for known in store.read_nodes()] == ["north"]
    store.commit(Batch(notes={"pack-1": replace(note, online=False)}))
    moved = store.commit(Batch([row(2)], [birth], {"pack-1": other}))
    assert (moved.strangers, moved.new) == (set(), 1)
    assert [known.group for known in store.read_nodes()] == ["south"]
