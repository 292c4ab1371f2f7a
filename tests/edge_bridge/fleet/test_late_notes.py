"""In a large fleet a note that only measures waits; what is news does not, and none is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from edge_bridge import metrics
from edge_bridge.fleet.late_notes import LATE_S, MANY, LateNotes
from edge_bridge.fleet.store.records import Batch, Birth, NodeRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def make_note(name: str, soc: float, *, online: bool = True, bundle: str = "a") -> NodeRecord:
    return NodeRecord(name, online, 1, {metrics.SOC: soc, metrics.SHA256: bundle}, "pulsebms")


def make_batch(notes: Iterable[NodeRecord]) -> Batch:
    return Batch(notes={note.node: note for note in notes})


def chosen(late: LateNotes, batch: Batch, now_s: float) -> Mapping[str, NodeRecord]:
    late.choose(batch, now_s)
    return batch.notes


def make_large() -> LateNotes:
    """The notes of a large fleet, each written once at 0 s."""
    late = LateNotes()
    late.choose(make_batch(make_note(f"pack-{number}", 0.5) for number in range(MANY)), 0.0)
    return late


def test_a_small_fleet_writes_each_note_at_once() -> None:
    late = LateNotes()
    for now_s in (0.0, 0.1, 0.2):
        note = make_note("pack-0", now_s)
        assert chosen(late, make_batch([note]), now_s) == {"pack-0": note}


def test_a_measured_value_waits_and_news_do_not() -> None:
    late = make_large()
    notes = [make_note("pack-0", 0.6), make_note("pack-1", 0.6, bundle="b"), make_note("pack-2", 0.6, online=False)]
    assert [*chosen(late, make_batch([*notes, make_note("new", 0.1)]), 1.0)] == ["pack-1", "pack-2", "new"]
    born = make_batch([make_note("pack-3", 0.7)])
    born.births.append(Birth("pack-3", 1, 0, None, None))
    assert [*chosen(late, born, 1.0)] == ["pack-3"]


def test_the_newest_of_those_that_waited_is_written_when_it_is_due_though_the_node_is_silent() -> None:
    late = make_large()
    for soc in (0.6, 0.7):
        assert not chosen(late, make_batch([make_note("pack-0", soc)]), 1.0)
    assert not chosen(late, Batch(), LATE_S - 0.1)
    assert chosen(late, Batch(), LATE_S) == {"pack-0": make_note("pack-0", 0.7)}
    assert not chosen(late, Batch(), 2.0 * LATE_S)


def test_at_the_end_all_are_written_and_the_newest_wins() -> None:
    late = make_large()
    late.choose(make_batch([make_note("pack-0", 0.6), make_note("pack-1", 0.6)]), 1.0)
    last = make_batch([make_note("pack-1", 0.9)])
    late.add_all(last)
    assert last.notes == {"pack-0": make_note("pack-0", 0.6), "pack-1": make_note("pack-1", 0.9)}


def test_a_forgotten_node_is_not_written_again() -> None:
    late = make_large()
    late.choose(make_batch([make_note("pack-0", 0.6)]), 1.0)
    late.choose(Batch(forgotten={"pack-0"}), 1.0)
    assert not chosen(late, Batch(), LATE_S + 1.0)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.floats(0.0, 3.0)), max_size=40))
def test_what_is_written_at_last_is_what_was_told_last(steps: list[tuple[int, bool, float]]) -> None:
    late, stored, told, now_s = make_large(), dict[str, NodeRecord](), dict[str, NodeRecord](), 0.0
    for count, (number, online, pause_s) in enumerate(steps):
        now_s += pause_s
        note = make_note(f"pack-{number}", float(count), online=online)
        told[note.node] = note
        stored |= chosen(late, make_batch([note]), now_s)
        assert all(stored[name].online == note.online for name, note in told.items() if name in stored)
    last = Batch()
    late.add_all(last)
    assert stored | last.notes == told
