"""The I/O box by wire transcript."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BenchError, LinkGarbage, LinkRefused
from drivers.scpi import pulse_io
from drivers.scpi.link import ScpiLink
from fixtures.io_box import IoBoxDevice as IoPhysics
from fixtures.io_box import IoDialect
from fixtures.journal import Journal
from fixtures.wiring import AnalogWiring
from tests.drivers.bench_instruments import SELDOM_S, make_io_box
from tests.drivers.polled import running
from tests.drivers.scripted import Line, Scripted

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.scpi.io_box import IoBox

IDENTITY: Line = (b"ID?\n", b"PulseBMS,IO-8,0001,1.0\n")
THERMISTORS: Line = (b"TH?\n", b"10000.0,10000.0\n")
INPUTS: Line = (b"IN?\n", b"estop=1,contactor=0,power=1\n")
EDGE: Line = (b"EDGE?\n", b"contactor=40\n")


def box(address: str) -> IoBox:
    return make_io_box(address, SELDOM_S, thermistors=2)


def test_the_exchange_drives_resistances_and_reads_temperatures_and_contacts() -> None:
    script = [(b"TH 10000.0,4101.2\n", b"OK\n"), (b"TH?\n", b"10000.0,4101.2\n"), INPUTS, EDGE]
    with Scripted(script) as peer, ScpiLink.open(peer.address) as link:
        driver = box(peer.address)
        driver.set_temperatures(np.array([298.15, 323.15]))
        assert driver.exchange(link).values == pytest.approx([1.0, 0.0, 1.0, 0.04, 298.15, 323.15], abs=1e-3)


@given(st.floats(min_value=pulse_io.COLDEST_K, max_value=pulse_io.HOTTEST_K))
def test_a_temperature_survives_the_thermistor(kelvin: float) -> None:
    assert pulse_io.kelvins(pulse_io.ohms(np.array([kelvin])))[0] == pytest.approx(kelvin)


@pytest.mark.parametrize("kelvin", [pulse_io.COLDEST_K, pulse_io.HOTTEST_K])
def test_the_box_plays_every_temperature_that_the_driver_takes(tmp_path: Path, kelvin: float) -> None:
    with Journal(tmp_path / "journal") as journal:
        dialect = IoDialect(IoPhysics(AnalogWiring.create(tmp_path / "loom"), journal.note))
    asked = pulse_io.set_temperatures(np.full(8, kelvin), 8).decode("ascii").strip()
    assert dialect.execute(asked, "a test", 0.0) == "OK"


@pytest.mark.parametrize("kelvin", [[298.15], [298.15, math.nan], [298.15, 25.0], [298.15, 500.0]])
def test_temperatures_that_no_thermistor_carries_are_refused(kelvin: list[float]) -> None:
    with pytest.raises(BenchError, match="are not 2 temperatures"):
        box("127.0.0.1:9").set_temperatures(np.array(kelvin))


@pytest.mark.parametrize("reply", [b"10000.0\n", b"10000.0,0.0\n", b"10000.0,-5\n"])
def test_thermistors_that_cannot_be_are_garbage(reply: bytes) -> None:
    with Scripted([(b"TH?\n", reply)]) as peer, ScpiLink.open(peer.address) as link, pytest.raises(LinkGarbage):
        box(peer.address).exchange(link)


def test_a_refusal_is_no_garbage() -> None:
    with (
        Scripted([(b"TH?\n", b"ERR 3 busy\n")]) as peer,
        ScpiLink.open(peer.address) as link,
        pytest.raises(LinkRefused, match="refuses: ERR 3 busy"),
    ):
        box(peer.address).exchange(link)


@pytest.mark.parametrize("reply", [b"estop=1,contactor=0\n", b"estop=2,contactor=0,power=1\n", b"OK\n"])
def test_inputs_that_cannot_be_are_garbage(reply: bytes) -> None:
    with (
        Scripted([THERMISTORS, (b"IN?\n", reply)]) as peer,
        ScpiLink.open(peer.address) as link,
        pytest.raises(LinkGarbage, match="expected its inputs"),
    ):
        box(peer.address).exchange(link)


def test_power_is_on_once_the_box_says_so() -> None:
    off: Line = (b"IN?\n", b"estop=1,contactor=0,power=0\n")
    script = [IDENTITY, THERMISTORS, INPUTS, EDGE, (b"PWR 1\n", b"OK\n"), off, INPUTS]
    with Scripted(script) as peer, running(driver := box(peer.address)):
        driver.power(on=True)


def test_a_refused_line_is_told_in_the_boxs_words() -> None:
    script = [IDENTITY, THERMISTORS, INPUTS, EDGE, (b"PWR 1\n", b"ERR 5 supply overloaded\n")]
    with (
        Scripted(script) as peer,
        running(driver := box(peer.address)),
        pytest.raises(BenchError, match="ERR 5 supply overloaded"),
    ):
        driver.power(on=True)


@pytest.mark.parametrize("reply", [b"contactor=-1\n", b"contactor=1.5\n", b"40\n", b"contactor=nan\n"])
def test_an_edge_that_cannot_be_is_garbage(reply: bytes) -> None:
    with pytest.raises(LinkGarbage):
        pulse_io.since_edge_s(reply)


def test_the_auxiliary_contact_is_held_by_one_line() -> None:
    script = [IDENTITY, THERMISTORS, INPUTS, EDGE, (b"AUX 2\n", b"OK\n")]
    with Scripted(script) as peer, running(driver := box(peer.address)):
        driver.hold_auxiliary("closed")
