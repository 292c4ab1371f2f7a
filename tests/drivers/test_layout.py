"""Reading a payload, against cantools on messages of every make."""

from __future__ import annotations

from typing import Any

import cantools.database
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from drivers.canbus.message_layout import MessageLayout

BYTES = 8


@st.composite
def plain(draw: st.DrawFn) -> str:
    """A signal line at any place, of either order."""
    length, motorola = draw(st.integers(1, 32)), draw(st.booleans())
    start = draw(st.integers(0, 63))
    if motorola:
        last = start // 8 * 8 + 7 - start % 8 + length - 1
        assume(last < 8 * BYTES)
    else:
        assume(start + length <= 8 * BYTES)
    sign, scale, offset = draw(st.sampled_from("+-")), draw(st.sampled_from([1, 0.1, -0.5])), draw(st.integers(-40, 40))
    return f'SG_ S : {start}|{length}@{int(not motorola)}{sign} ({scale},{offset}) [0|0] "" X'


def message_of(*lines: str, tail: str = "") -> Any:
    body = "\n ".join(lines)
    text = f'VERSION ""\nBU_: X\nBO_ 256 M: {BYTES} X\n {body}\n{tail}'
    database: Any = cantools.database.load_string(text, "dbc", strict=False)
    return database.messages[0]


@given(plain(), st.binary(min_size=BYTES, max_size=BYTES))
def test_a_signal_is_read_as_cantools_reads_it(line: str, payload: bytes) -> None:
    message = message_of(line)
    told = message.decode(payload, decode_choices=False)["S"]
    assert MessageLayout(message.signals).read(payload) == {"S": pytest.approx(told)}


@given(plain(), st.binary(min_size=BYTES, max_size=BYTES))
def test_the_bits_of_a_signal_are_those_that_cantools_writes(line: str, payload: bytes) -> None:
    message = message_of(line)
    layout = MessageLayout(message.signals)
    field = layout.fields["S"]
    raw = field.raw(payload)
    mask, value = layout.bits("S", raw)
    written = message.encode({"S": raw}, scaling=False, strict=False)
    assert int.from_bytes(written, "little") == value
    assert int.from_bytes(payload, "little") & mask == value
    assert mask.bit_count() == field.length


@pytest.mark.parametrize("payload", ["0000803f00000000", "000020c100000000", "0000c07f00000000"])
def test_a_float_is_read_as_cantools_reads_it(payload: str) -> None:
    message = message_of('SG_ S : 0|32@1- (1,0) [0|0] "" X', tail="SIG_VALTYPE_ 256 S : 1;")
    read = MessageLayout(message.signals).read(bytes.fromhex(payload))
    assert read["S"] == pytest.approx(message.decode(bytes.fromhex(payload))["S"], nan_ok=True)


NESTED = (
    'SG_ P M : 0|8@1+ (1,0) [0|0] "" X',
    'SG_ Q m0M : 8|8@1+ (1,0) [0|0] "" X',
    'SG_ Deep m3 : 16|8@1+ (1,0) [0|0] "" X',
    'SG_ Wide m1 : 8|16@1+ (1,0) [0|0] "" X',
    'SG_ Always : 56|8@1+ (1,0) [0|0] "" X',
)
TREE = "SG_MUL_VAL_ 256 Deep Q 3-5;\nSG_MUL_VAL_ 256 Q P 0-0;\nSG_MUL_VAL_ 256 Wide P 1-1;\n"


@pytest.fixture(scope="module")
def nested() -> MessageLayout:
    return MessageLayout(message_of(*NESTED, tail=TREE).signals)


def test_each_page_gives_its_own_signals(nested: MessageLayout) -> None:
    assert nested.read(bytes([0, 4, 9, 0, 0, 0, 0, 7])) == {"P": 0.0, "Q": 4.0, "Deep": 9.0, "Always": 7.0}
    assert nested.read(bytes([1, 4, 9, 0, 0, 0, 0, 7])) == {"P": 1.0, "Wide": 0x904, "Always": 7.0}


@pytest.mark.parametrize(
    ("payload", "said"), [("02" + "00" * 7, "P = 2"), ("0009" + "00" * 6, "Q = 9"), ("0003", "2 bytes")]
)
def test_what_cannot_be_read_is_told_and_the_rest_is_read(nested: MessageLayout, payload: str, said: str) -> None:
    octets = bytes.fromhex(payload)
    assert said in nested.oddity(octets, BYTES)
    assert nested.read(octets)["P"] == octets[0]


def test_a_frame_that_can_be_read_whole_is_not_odd(nested: MessageLayout) -> None:
    for payload in (bytes([0, 3, *range(6)]), bytes([1, 9, *range(6)]), bytes([1, 9, *range(30)])):
        assert not nested.oddity(payload, BYTES)


def test_the_bits_of_a_signal_name_all_its_pages(nested: MessageLayout) -> None:
    mask, value = nested.bits("Deep", 7)
    assert (mask, value) == (0xFFFFFF, 0x070300)


@given(st.binary(max_size=20))
def test_no_payload_is_too_odd(nested: MessageLayout, payload: bytes) -> None:
    nested.read(payload)
    nested.oddity(payload, BYTES)


def test_a_signal_is_written_with_all_its_pages(nested: MessageLayout) -> None:
    assert nested.written({"Deep": 9.0}).to_bytes(8, "little") == bytes([0, 3, 9, 0, 0, 0, 0, 0])
    with pytest.raises(ValueError, match="no page carries Wide together"):
        nested.written({"Deep": 9.0, "Wide": 1.0})


@given(plain(), st.binary(min_size=BYTES, max_size=BYTES))
def test_what_is_written_is_read_again(line: str, payload: bytes) -> None:
    message = message_of(line)
    layout = MessageLayout(message.signals)
    value = layout.read(payload)["S"]
    written = layout.written({"S": value}).to_bytes(BYTES, "little")
    assert layout.read(written)["S"] == pytest.approx(value)
    assert written == message.encode({"S": value}, strict=False)


def test_what_does_not_fit_is_refused(nested: MessageLayout) -> None:
    with pytest.raises(ValueError, match="Deep = 256 does not fit"):
        nested.written({"Deep": 256.0})


def test_zero_that_is_no_zero_bits_is_said_unless_the_bits_are_anothers() -> None:
    layout = MessageLayout(message_of('SG_ T : 0|8@1+ (1,-40) [0|0] "" X', 'SG_ U : 4|8@1+ (1,0) [0|0] "" X').signals)
    assert layout.written({}) == 40
    assert layout.written({"U": 1.0}) == 16
