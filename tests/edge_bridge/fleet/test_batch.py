"""Batches that are joined while the database works."""

from __future__ import annotations

from edge_bridge.fleet.store.records import MAX_WAITING_BIRTHS, Batch, Birth, NodeRecord


def note(node: str, last_ms: int) -> NodeRecord:
    return NodeRecord(node, online=True, last_ms=last_ms, status={})


def test_the_newest_note_of_a_node_stays() -> None:
    batch = Batch(notes={"a": note("a", 1), "b": note("b", 1)})
    batch.add(Batch(notes={"a": note("a", 2)}, counts={("refused", "topic"): 2}))
    batch.add(Batch(counts={("refused", "topic"): 1}))
    assert {name: record.last_ms for name, record in batch.notes.items()} == {"a": 2, "b": 1}
    assert dict(batch.counts) == {("refused", "topic"): 3}


def test_a_forgotten_node_is_forgotten_until_it_comes_again() -> None:
    batch = Batch(notes={"a": note("a", 1)})
    batch.add(Batch(forgotten={"a"}))
    assert (batch.forgotten, batch.notes) == ({"a"}, {})
    batch.add(Batch(notes={"a": note("a", 2)}))
    assert (batch.forgotten, [*batch.notes]) == (set(), ["a"])


def test_of_very_many_births_the_newest_stay() -> None:
    batch = Batch()
    for number in range(MAX_WAITING_BIRTHS + 3):
        batch.add(Batch(births=[Birth("a", number, 0, None, None)]))
    assert [birth.t_ms for birth in batch.births][:1] == [3]
    assert len(batch.births) == MAX_WAITING_BIRTHS


def test_what_came_later_is_left_as_it_was() -> None:
    batch, later = Batch(), Batch(notes={"a": note("a", 1)})
    batch.add(later)
    batch.add(Batch(notes={"b": note("b", 1)}))
    assert [*later.notes] == ["a"]
