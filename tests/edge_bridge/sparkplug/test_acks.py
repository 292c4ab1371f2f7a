from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_bridge.ranges import Range, find_ranges
from edge_bridge.sparkplug import acks
from edge_bridge.sparkplug.payload import PayloadError

NUMBERS = st.sets(st.integers(1, 200), min_size=1, max_size=80)
BOOTS = st.from_regex(r"[0-9a-f]{1,16}", fullmatch=True)


def numbers(ranges: tuple[Range, ...]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


def test_ranges_are_written_as_the_protocol_says() -> None:
    text = list(acks.format_acks({"ab": find_ranges([60, 1, 2, 3, 57, 61]), "0c": find_ranges([9])}))
    assert text == ["ab:1-3,57,60-61;0c:9"]
    assert acks.parse_acks(text[0]) == {"ab": ((1, 3), (57, 57), (60, 61)), "0c": ((9, 9),)}


@given(st.dictionaries(BOOTS, NUMBERS, max_size=4))
def test_what_is_acknowledged_is_what_was_stored(stored: dict[str, set[int]]) -> None:
    heard = dict[str, set[int]]()
    for text in acks.format_acks({boot: find_ranges(seqs) for boot, seqs in stored.items()}):
        for boot, ranges in acks.parse_acks(text).items():
            heard.setdefault(boot, set()).update(numbers(ranges))
    assert heard == stored


def test_many_holes_make_several_texts_that_each_can_be_read() -> None:
    every_other = range(1, 4 * acks.MAX_RANGES, 2)
    texts = list(acks.format_acks({"ab": find_ranges(every_other), "cd": find_ranges(every_other)}))
    assert len(texts) == 4
    heard = [acks.parse_acks(text) for text in texts]
    for boot in ("ab", "cd"):
        assert set().union(*(numbers(one.get(boot, ())) for one in heard)) == set(every_other)


def test_nothing_stored_makes_no_text() -> None:
    assert list(acks.format_acks({})) == []
    assert acks.parse_acks("") == {}


@pytest.mark.parametrize(
    "text",
    [
        "ab",
        "ab:",
        ":1",
        "ab:0",
        "ab:2-1",
        "ab:1,",
        "ab:1-",
        "ab:-1",
        "ab:1;ab:2",
        "ab:1;",
        "xy:1",
        "ab:1-2-3",
        "ab: 1",
        "ab:٣",
        "ab:9223372036854775808",
        "ab:" + "9" * 40,
        "ab:" + ",".join("1" for _ in range(acks.MAX_RANGES + 1)),
        "ab:" + "1," * acks.MAX_LENGTH,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(PayloadError) as refused:
        acks.parse_acks(text)
    assert refused.value.kind == "acks"


@given(st.text(alphabet="ab0:;,-9", max_size=40))
def test_no_text_makes_parse_fail_otherwise(text: str) -> None:
    try:
        found = acks.parse_acks(text)
    except PayloadError:
        return
    assert all(1 <= first <= last for those in found.values() for first, last in those)
