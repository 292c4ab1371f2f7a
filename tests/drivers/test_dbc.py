"""Laws of the DBC's messages: what is encoded is decoded, sealed, and singled out by its bits."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.canbus.dbc import Dbc, DbcMessage

DBC: Final = Dbc(Path(__file__).parents[2] / "fixtures" / "benches" / "pulse24.dbc")
SEALED: Final = {name: message.protected_by("Counter", "Checksum") for name, message in DBC.messages.items()}
OWN: Final = {"Counter", "Checksum"}


@st.composite
def said(draw: st.DrawFn) -> tuple[DbcMessage, dict[str, float]]:
    """A message, and for each of its signals what some raw bits mean."""
    message = SEALED[draw(st.sampled_from(sorted(SEALED)))]
    physical = message.decode(draw(st.binary(min_size=message.length, max_size=message.length)))
    return message, {name: value for name, value in physical.items() if name not in OWN}


@given(said(), st.integers(0, 40))
def test_decoding_is_the_inverse_of_encoding(told: tuple[DbcMessage, dict[str, float]], counter: int) -> None:
    message, values = told
    payload = message.encode(values, counter)
    assert message.protection is not None
    assert message.protection.check(message.id, payload)
    decoded = message.decode(payload)
    assert {name: decoded[name] for name in values} == pytest.approx(values)
    assert decoded["Counter"] == counter % 16


@given(said(), st.integers(0, 15))
def test_the_bits_of_a_signal_find_its_value_and_no_other(
    told: tuple[DbcMessage, dict[str, float]], counter: int
) -> None:
    message, values = told
    payload = int.from_bytes(message.encode(values, counter), "little")
    for name, value in values.items():
        mask, bits = message.bits(name, value)
        assert payload & mask == bits
        low = mask & -mask
        assert (payload ^ low) & mask != bits


@given(said())
def test_a_signal_carries_whatever_its_bits_can_mean(told: tuple[DbcMessage, dict[str, float]]) -> None:
    message, values = told
    assert all(message.carries(name, value) for name, value in values.items())


@pytest.mark.parametrize(
    ("message", "signal", "value"),
    [
        ("BMS_Status", "State", 16),
        ("BMS_Status", "State", -1),
        ("BMS_Status", "State", 0.5),
        ("BMS_Pack", "PackCurrent", 327.68),
        ("BMS_Pack", "PackCurrent", -327.69),
        ("BMS_Temps_1", "Temp1", -100.1),
    ],
)
def test_a_signal_does_not_carry_what_lies_beyond_or_between_its_steps(message: str, signal: str, value: float) -> None:
    assert not DBC.messages[message].carries(signal, value)
