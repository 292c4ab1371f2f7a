"""Counter and checksum of a frame."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from drivers.e2e import E2EChecker, E2EProfile, crc8

RULE = E2EProfile(counter_bit=52, counter_bits=4, checksum_byte=7)
PAYLOADS = st.binary(min_size=8, max_size=8)


def test_crc_gives_the_published_check_value() -> None:
    assert crc8(b"123456789") == 0x4B


@given(PAYLOADS, st.integers(0, 0x7FF), st.integers(0, 100))
def test_a_sealed_payload_proves_itself_and_tells_its_counter(payload: bytes, message_id: int, counter: int) -> None:
    sealed = RULE.protect(message_id, payload, counter)
    assert RULE.check(message_id, sealed)
    assert RULE.counter(sealed) == counter % 16
    assert sealed[:6] == payload[:6]


@given(PAYLOADS, st.integers(0, 63))
def test_one_wrong_bit_is_seen(payload: bytes, bit: int) -> None:
    sealed = RULE.protect(0x100, payload, 3)
    broken = (int.from_bytes(sealed, "little") ^ 1 << bit).to_bytes(8, "little")
    assert not RULE.check(0x100, broken)


def test_a_frame_under_another_identifier_does_not_prove_itself() -> None:
    assert not RULE.check(0x101, RULE.protect(0x100, bytes(8), 0))


def test_a_frame_too_short_for_its_checksum_does_not_prove_itself() -> None:
    assert not RULE.check(0x100, bytes(7))


def doubts(proof: E2EChecker, *counters: int) -> list[str]:
    return [proof.check(RULE, 0x100, RULE.protect(0x100, bytes(8), counter), 8) for counter in counters]


def test_a_jump_of_the_counter_counts_what_was_lost() -> None:
    proof = E2EChecker()
    assert doubts(proof, 14, 15, 0, 3) == [""] * 4
    assert (proof.lost, proof.repeated, proof.bad) == (2, 0, 0)


def test_a_counter_that_stands_still_is_not_believed() -> None:
    proof = E2EChecker()
    assert doubts(proof, 5, 5, 5, 6) == ["", *["a counter that does not change"] * 2, ""]
    assert proof.repeated == 2


def test_bad_checksums_are_counted() -> None:
    proof = E2EChecker()
    assert [proof.check(RULE, 0x100, bytes(8), 8) for _ in range(3)] == ["a wrong checksum"] * 3
    assert proof.bad == 3


@given(st.binary(max_size=7))
def test_a_frame_too_short_to_prove_itself_is_never_believed(payload: bytes) -> None:
    proof = E2EChecker()
    assert proof.check(RULE, 0x100, payload, 8) == f"{len(payload)} bytes instead of 8"
    assert proof.bad == 1


def test_a_message_without_a_rule_is_believed() -> None:
    assert not E2EChecker().check(None, 0x100, bytes(8), 8)


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=1, max_size=56))
def test_bytes_behind_a_proven_frame_change_nothing(payload: bytes, behind: bytes) -> None:
    assert not E2EChecker().check(RULE, 0x100, RULE.protect(0x100, payload, 3) + behind, 8)
