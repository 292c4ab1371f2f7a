"""SCPI text as pure functions of bytes."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.errors import BenchError, LinkGarbage
from drivers.scpi import codec
from drivers.scpi.declarations import Choice, Quantity

FINITE = st.floats(min_value=-1e6, max_value=1e6)
MILLI = Quantity("PRO{n}:CURR", "A", 0.0, 6.0, "a test", per_si=1e3, digits=1)


@given(FINITE)
def test_number_reads_what_was_written(value: float) -> None:
    assert codec.number(repr(value).encode()) == value


@given(FINITE, st.sampled_from(["u", "m", "", "k", "M"]))
def test_number_scales_the_prefix_of_its_unit(value: float, prefix: str) -> None:
    scale = {"u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6}[prefix]
    assert codec.number(f"{value!r} {prefix}W".encode(), "W") == pytest.approx(value * scale)


@given(st.lists(FINITE, min_size=1, max_size=30))
def test_numbers_read_what_was_joined(values: list[float]) -> None:
    assert codec.numbers(",".join(map(repr, values)).encode(), len(values)) == values


@given(st.floats(min_value=0.0, max_value=6.0))
@example(0.03125)
def test_a_quantity_reads_back_what_it_put(amperes: float) -> None:
    header, milliamperes = MILLI.put(amperes, 7).split(" ")
    assert header == "PRO7:CURR"
    assert MILLI.read(milliamperes.encode()) == pytest.approx(
        amperes, abs=0.5e-4 + 1e-12
    )  # half a digit, and a float of it


@pytest.mark.parametrize("text", [b"nan", b"NaN", b"inf", b"", b"1.2.3", b"1,2", b"--1", b"0x10", b"1_0", b"9.91E37"])
def test_number_refuses_what_is_no_measurement(text: bytes) -> None:
    with pytest.raises(LinkGarbage):
        codec.number(text)


@pytest.mark.parametrize(("text", "unit"), [(b"12.30 A", "V"), (b"12.30 V", ""), (b"1.0 kV", "W"), (b"1.0 xV", "V")])
def test_number_refuses_another_unit(text: bytes, unit: str) -> None:
    with pytest.raises(LinkGarbage, match="expected"):
        codec.number(text, unit)


@pytest.mark.parametrize("text", [b"1,2", b"1,2,3,4", b"1,nan,3", b"1,,3", b"1,2,3 V", b"1,2,9.9e37", b""])
def test_numbers_refuse_a_wrong_count_or_a_hole(text: bytes) -> None:
    with pytest.raises(LinkGarbage):
        codec.numbers(text, 3)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_as_garbage(reply: bytes) -> None:
    for read in (codec.identity, codec.error_entries, codec.number, codec.state):
        try:
            read(reply)
        except LinkGarbage as error:
            assert error.what  # noqa: PT017  # either outcome is right, another exception is not


def test_quantities_read_suffixes_in_their_order() -> None:
    assert codec.quantities(b"12.30 V, -4.50 A, -0.055 kW", "V", "A", "W") == pytest.approx([12.3, -4.5, -55.0])


@pytest.mark.parametrize(
    ("text", "unit", "value", "half"),
    [
        (b"43.50V", "V", 43.5, 0.005),
        (b"100.1A", "A", 100.1, 0.05),
        (b"2534W", "W", 2534.0, 0.5),
        (b"1.5kW", "W", 1500.0, 50.0),
        (b"3KW", "W", 3000.0, 500.0),
        (b"0.003 Ohm", "OHM", 0.003, 0.0005),
        (b"33.3 a", "A", 33.3, 0.05),
        (b"2", "s", 2.0, 0.5),
        (b"1.25e-3", "", 0.00125, 0.5e-5),
    ],
)
def test_every_form_of_a_value_in_the_guide_is_read_with_half_its_last_decimal(
    text: bytes, unit: str, value: float, half: float
) -> None:
    assert codec.number(text, unit) == pytest.approx(value)
    assert codec.half_step(text, unit) == pytest.approx(half)


def test_a_semicolon_in_quotes_separates_nothing() -> None:
    assert codec.split(b'3072;-221,"Settings conflict;@1";0') == [b"3072", b'-221,"Settings conflict;@1"', b"0"]


@given(st.binary(max_size=40))
def test_splitting_loses_no_byte(reply: bytes) -> None:
    assert b";".join(codec.split(reply)) == reply


@given(st.lists(st.text("ABC:? 19.", min_size=1, max_size=30), min_size=1, max_size=60))
def test_messages_carry_every_unit_in_order_and_keep_their_bounds(units: list[str]) -> None:
    made = codec.messages(units, 5, 80)
    assert sum(count for _, count in made) == len(units)
    assert b";:".join(message[:-1] for message, _ in made) == codec.message(*units)[:-1]
    assert all(count <= 5 and len(message) <= 80 for message, count in made)


def test_message_starts_each_unit_from_the_root() -> None:
    assert codec.message("VOLT 1", "SINK:CURR 2") == b"VOLT 1;:SINK:CURR 2\n"


def test_units_must_be_as_many_as_were_asked() -> None:
    assert codec.units(b"1;2", 2) == [b"1", b"2"]
    with pytest.raises(LinkGarbage, match="1 values, expected 2"):
        codec.units(b"1", 2)


def test_identity_keeps_commas_of_the_firmware() -> None:
    told = codec.identity(b"EA Elektro-Automatik, PSB 10060-120, 1234560001, V2.09, V1.10\r")
    assert (told.maker, told.model, told.firmware) == ("EA Elektro-Automatik", "PSB 10060-120", "V2.09, V1.10")


@pytest.mark.parametrize("text", [b"", b"hello", b"a,b,c", b"a,b,,d", b"\xff\x00,b,c,d"])
def test_identity_refuses_what_has_not_four_fields(text: bytes) -> None:
    with pytest.raises(LinkGarbage, match="identity"):
        codec.identity(text)


@given(st.lists(st.tuples(st.integers(-999, 999).filter(bool), st.text("abc ,;-", max_size=9)), max_size=6))
def test_error_entries_read_what_a_queue_says(queued: list[tuple[int, str]]) -> None:
    said = ",".join(f'{number},"{words}"' for number, words in [*queued, (0, "No error")])
    assert [str(entry) for entry in codec.error_entries(said.encode())] == [f"{number} {w}" for number, w in queued]


@pytest.mark.parametrize("text", [b"", b"-222", b'-222,"no end', b'-222,"a" -113,"b"', b"0"])
def test_an_error_queue_that_cannot_be_read_is_garbage(text: bytes) -> None:
    with pytest.raises(LinkGarbage, match="error entries"):
        codec.error_entries(text)


@pytest.mark.parametrize("text", [b"1.5", b"-1", b"4294967296", b"ON"])
def test_state_bits_are_a_whole_number_of_32_bits(text: bytes) -> None:
    with pytest.raises(LinkGarbage):
        codec.state(text)


def test_word_refuses_a_third_state() -> None:
    with pytest.raises(LinkGarbage, match="ON or OFF"):
        codec.word(b"MAYBE", {"ON": True, "OFF": False})


@pytest.mark.parametrize("value", [-0.1, 6.1, math.nan, math.inf])
def test_a_quantity_refuses_to_put_what_is_out_of_range(value: float) -> None:
    with pytest.raises(BenchError, match="outside 0 to 6 A"):
        MILLI.put(value, 1)


def test_a_choice_lists_what_there_is() -> None:
    with pytest.raises(BenchError, match="not one of normal, short"):
        Choice("FAUL{n}:SIM", {"normal": "0", "short": "8"}, "a test").put("crossed", 1)
