"""The chain of the audit log: whatever somebody does to it, the first broken link is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_bridge.fleet.audit.chain import (
    AuditRecord,
    ChainHead,
    find_broken_link,
    hash_record,
    parse_head,
    parse_record,
)
from edge_bridge.fleet.store.audit_chain import FIRST


def append(chain: list[AuditRecord], who: str, what: str) -> None:
    head = chain[-1].hash if chain else FIRST
    record = AuditRecord(len(chain) + 1, 1_000 + len(chain), who, "site.edit", what, "", '{"é":1}', head, "")
    chain.append(replace(record, hash=hash_record(record)))


def make_chain(count: int, who: str = "eve") -> list[AuditRecord]:
    made = list[AuditRecord]()
    for number in range(count):
        append(made, who, f"site-{number}")
    return made


CHAIN = make_chain(8)
HEAD = ChainHead(8, CHAIN[-1].hash)
CHANGES = st.sampled_from(
    [{"t_ms": 1}, {"who": "bob"}, {"action": "x"}, {"object": "y"}, {"before": "{}"}, {"after": ""}, {"id": 99}]
)


def test_a_sound_chain_has_no_broken_link() -> None:
    assert find_broken_link(CHAIN, HEAD) == (HEAD, None)
    assert find_broken_link([]) == (ChainHead(), None)


@given(st.integers(0, 7), CHANGES)
def test_a_changed_entry_is_the_first_broken_link(place: int, change: dict[str, Any]) -> None:
    changed = [*CHAIN[:place], replace(CHAIN[place], **change), *CHAIN[place + 1 :]]
    head, broken = find_broken_link(changed)
    assert (head.number, broken and broken.number) == (place, place + 1)


@given(st.integers(0, 6), CHANGES)
def test_an_entry_that_was_changed_with_its_hash_breaks_the_next(place: int, change: dict[str, Any]) -> None:
    forged = replace(CHAIN[place], **change)
    forged = replace(forged, hash=hash_record(forged))
    _, broken = find_broken_link([*CHAIN[:place], forged, *CHAIN[place + 1 :]])
    assert broken is not None
    assert broken.number in {place + 1, place + 2}


@given(st.integers(0, 6), st.integers(1, 3))
def test_removed_entries_are_missed(place: int, count: int) -> None:
    left = [*CHAIN[:place], *CHAIN[place + count :]]
    _, broken = find_broken_link(left, HEAD)
    assert broken is not None
    assert broken.number == place + 1


@given(st.permutations(CHAIN))
def test_entries_in_another_order_are_found(moved: list[AuditRecord]) -> None:
    assert (find_broken_link(moved)[1] is None) is (moved == CHAIN)


@given(st.integers(0, 7))
def test_a_cut_end_shows_against_a_kept_head_alone(count: int) -> None:
    assert find_broken_link(CHAIN[:count])[1] is None, "without a head nobody can know"
    _, broken = find_broken_link(CHAIN[:count], HEAD)
    assert broken is not None
    assert broken.number == count + 1


def test_a_log_that_was_written_anew_shows_against_a_kept_head() -> None:
    forged = make_chain(8, "bob")
    assert find_broken_link(forged)[1] is None
    broken = find_broken_link(forged, HEAD)[1]
    assert broken is not None
    assert broken.number == 8


def test_a_line_of_an_export_is_read_as_it_was_written() -> None:
    assert [parse_record(record.as_line()) for record in CHAIN] == CHAIN
    assert parse_head(str(HEAD)) == HEAD


@given(st.text())
def test_any_other_line_is_refused(line: str) -> None:
    for parse in (parse_record, parse_head):
        with pytest.raises(ValueError):  # noqa: PT011  # the words may be those of the JSON parser
            parse(line)


@pytest.mark.parametrize("line", ["[" * 100_000, "{}", '{"schema":"pulsebms.fleet.audit/1"}', "null", "1e999"])
def test_a_line_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"not an entry|other fields|Expecting"):
        parse_record(line)
    damaged = CHAIN[0].as_line().replace('"id":1', '"id":"1"')
    with pytest.raises(ValueError, match="another type"):
        parse_record(damaged)
