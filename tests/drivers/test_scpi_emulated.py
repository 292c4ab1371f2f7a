"""The drivers against the emulated instruments: the same commands, read by somebody else's parser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.errors import BenchError
from drivers.ports import LinkState
from drivers.scpi import ea_psb10000, ea_settings, ngi_n83624, pulse_io
from drivers.scpi.declarations import ASSUMED, UNVERIFIED, Choice, Quantity, Query
from drivers.snapshot import Quality
from fixtures.emulated_bench import EmulatedBench
from fixtures.journal import read_journal
from tests.drivers.bench_instruments import make_cell_simulator, make_io_box, make_supply
from tests.drivers.polled import known, running, until
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import ModuleType

    from drivers.scpi.cell_simulator import CellSimulator
    from drivers.scpi.supply import Supply

MAP = Path(__file__).parents[2] / "fixtures" / "benches" / "pulse24.dut.toml"
PARTS = ("cell_simulator", "supply", "io_box")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Generator[EmulatedBench]:
    started = EmulatedBench.start(tmp_path_factory.mktemp("bench") / "run", MAP, parts=PARTS)
    with started.hold():
        yield started
    started.stop()


@pytest.fixture
def cells(bench: EmulatedBench) -> Generator[CellSimulator]:
    with running(made := make_cell_simulator(bench.addresses["cell_simulator"])):
        yield made


@pytest.fixture
def supply(bench: EmulatedBench) -> Generator[Supply]:
    with running(made := make_supply(bench.addresses["supply"])):
        made.lock(on=True)
        yield made


def test_cell_voltages_come_back_as_set_with_the_outputs_on(cells: CellSimulator) -> None:
    wanted = np.linspace(3.1, 4.1, 24)
    cells.prepare()
    cells.outputs(on=True)
    cells.set_voltages(wanted)
    until(lambda: bool(np.allclose(known(cells).values[:24], wanted, atol=0.005)))
    assert (known(cells).quality[:24] == Quality.GOOD).all()
    assert cells.complaints() == []


def test_prepared_protections_are_read_back(cells: CellSimulator) -> None:
    cells.prepare()
    volts, amperes = cells.protections()
    assert volts == pytest.approx(np.full(24, 5.2))
    assert amperes == pytest.approx(np.full(24, 5.0))


def test_the_fault_relay_opens_one_wire_and_closes_it(bench: EmulatedBench, cells: CellSimulator) -> None:
    cells.prepare()
    cells.set_voltages(np.full(24, 3.7))
    cells.outputs(on=True)
    cells.fault_relay(7, "open_plus")
    until(lambda: bench.wiring["cell_open"][6] == 1.0)
    cells.fault_relay(7, "normal")
    until(lambda: bench.wiring["cell_open"][6] == 0.0)
    assert cells.outputs_state().all()


def test_supply_protections_are_read_back(supply: Supply) -> None:
    supply.prepare()
    assert supply.protections() == pytest.approx((20.0, 100.0, 100.0))
    assert supply.errors() == []


@pytest.mark.parametrize(("wanted_a", "direction"), [(99.0, "sink_ocp"), (-99.0, "ocp")])
def test_prepared_protections_end_the_current_of_their_own_direction(
    bench: EmulatedBench, supply: Supply, wanted_a: float, direction: str
) -> None:
    def alarms() -> int:
        return int(supply.poller.call(lambda link: link.ask(b"SYST:ALARM:COUNT:OCUR?\n")))

    header, before = {"sink_ocp": "SINK:CURR:PROT", "ocp": "CURR:PROT"}[direction], alarms()
    supply.prepare()
    supply.poller.call(lambda link: link.write(f"{header} 40\n".encode()))
    bench.wiring["contactor"][0] = 1.0
    supply.output(on=True)
    supply.set_current(wanted_a)
    until(lambda: alarms() == before + 1)
    until(lambda: known(supply).values[0] == 0.0)
    bench.wiring["contactor"][0] = 0.0
    supply.errors()  # reading them acknowledges the alarm, for whoever comes next


def test_a_set_point_beyond_an_adjusted_limit_is_told_from_the_error_queue(supply: Supply) -> None:
    supply.prepare()
    supply.errors()
    supply.poller.call(lambda link: link.write(b"SINK:CURR:LIM:HIGH 30\n"))
    supply.set_current(50.0)
    until(lambda: "-222 Data out of range" in supply.health().detail)
    assert supply.health().state is LinkState.OK
    supply.set_current(20.0)
    until(lambda: supply.health().detail == "")
    supply.poller.call(lambda link: link.write(b"SINK:CURR:LIM:HIGH 122.4\n"))


def test_a_power_limit_that_was_adjusted_at_the_panel_is_told_before_arming(supply: Supply) -> None:
    supply.errors()
    supply.poller.call(lambda link: link.write(b"SINK:POW 500;:SINK:POW:LIM:HIGH 500\n"))
    with pytest.raises(BenchError, match=r"500 W sunk, not to its nominal 3000 W.*-222 Data out of range"):
        supply.prepare()
    supply.poller.call(lambda link: link.write(b"SINK:POW:LIM:HIGH 3060\n"))
    supply.prepare()


def test_polling_without_the_lock_leaves_the_error_queue_empty(supply: Supply) -> None:
    supply.prepare()
    supply.lock(on=False)
    seen = supply.poller.reading
    until(lambda: supply.poller.reading is not seen)
    supply.errors()
    supply.set_current(5.0)
    for _ in range(5):
        seen = supply.poller.reading
        until(lambda seen=seen: supply.poller.reading is not seen)
    assert supply.errors() == []


def test_discharge_and_charge_have_their_signs(bench: EmulatedBench, supply: Supply) -> None:
    supply.prepare()
    supply.set_current(0.0)
    bench.wiring["contactor"][0] = 1.0
    supply.output(on=True)
    for wanted_a in (20.0, -20.0):
        supply.set_current(wanted_a)
        until(lambda wanted_a=wanted_a: abs(known(supply).values[2] - wanted_a) < 0.2)
        assert known(supply).values[3] * wanted_a > 0.0
    supply.output(on=False)
    bench.wiring["contactor"][0] = 0.0


def test_the_last_word_switches_the_supply_off_over_its_own_connection(bench: EmulatedBench, supply: Supply) -> None:
    mouth = ea_psb10000.off_commands(bench.addresses["supply"], 0.5).open()
    until(mouth.keep_alive)
    assert supply.connections_ok(mouth.send_unverified)
    supply.output(on=True)
    (result,) = mouth.execute()
    until(lambda: known(supply).values[0] == 0.0)
    mouth.close()
    assert result.verified


def test_the_io_box_carries_temperatures_and_power(bench: EmulatedBench) -> None:
    box = make_io_box(bench.addresses["io_box"], 0.05)
    wanted = np.linspace(263.15, 333.15, 8)
    with running(box):
        box.power(on=True)
        box.set_temperatures(wanted)
        until(lambda: bool(np.allclose(known(box).values[4:], wanted, atol=0.05)))
        assert bench.wiring["bms_power"][0] == 1.0
        box.power(on=False)


@pytest.mark.parametrize(
    ("fault", "state"), [("mute", LinkState.SILENT), ("garbage", LinkState.GARBAGE), ("drop", LinkState.DROPPED)]
)
def test_a_sick_instrument_is_told_and_the_others_go_on(
    bench: EmulatedBench, cells: CellSimulator, supply: Supply, fault: str, state: LinkState
) -> None:
    bench.inject(fault, instrument="cell_simulator")
    until(lambda: cells.health().state is state)
    assert supply.health().state is LinkState.OK
    until(lambda: bool((known(cells).quality == Quality.MISSING).all()))
    bench.clear(fault)
    until(lambda: cells.health().state is LinkState.OK)


def declared(page: ModuleType) -> dict[str, str]:
    """Header, its channel number as N, to provenance."""
    commands = [kept for kept in vars(page).values() if isinstance(kept, Quantity | Choice | Query)]
    return {command.header.format(n="N").upper(): command.source for command in commands}


def said(bench: EmulatedBench, instrument: str, since: int) -> set[str]:
    """The headers that an instrument was told, as `declared` spells them."""
    messages = [entry["in"] for entry in list(read_journal(bench.journal(instrument)))[since:] if "in" in entry]
    headers = [re.split(r"[ ?]", unit)[0] for message in messages for unit in message.upper().split(";:")]
    return {re.sub(r"^([A-Z]+)\d+:", r"\1N:", header) for header in headers}


@pytest.mark.parametrize("page", [ea_psb10000, ea_settings, ngi_n83624, pulse_io])
def test_every_command_names_its_source(page: ModuleType) -> None:
    known_sources = {getattr(page, "GUIDE", ""), getattr(page, "ASKED_TOO", ""), pulse_io.SHEET, UNVERIFIED, ASSUMED}
    assert all(source and source in known_sources for source in declared(page).values())


def test_nothing_undeclared_is_said_to_an_instrument(bench: EmulatedBench) -> None:
    since = {name: sum(1 for _ in read_journal(bench.journal(name))) for name in ("cell_simulator", "supply")}
    simulator = make_cell_simulator(bench.addresses["cell_simulator"])
    source = make_supply(bench.addresses["supply"])
    with running(simulator), running(source):
        source.lock(on=True)
        source.prepare()
        source.errors()
        source.output(on=False)
        source.lock(on=False)
        simulator.prepare()
        simulator.outputs(on=False)
        simulator.protections()
        simulator.fault_relay(3, "open_plus")
        simulator.fault_relay(3, "normal")
        simulator.complaints()
    assert {"SINK:CURR:PROT", "MEAS:ARR", "OUTP"} < (heard := said(bench, "supply", since["supply"]))
    assert heard <= declared(ea_psb10000).keys() | declared(ea_settings).keys()
    assert {"OUTPN:ONOFF", "FAULTN:SIMULATE"} < (heard := said(bench, "cell_simulator", since["cell_simulator"]))
    assert heard <= declared(ngi_n83624).keys()


@pytest.mark.timed
def test_the_exchange_keeps_its_hundred_hertz(cells: CellSimulator) -> None:
    cells.set_voltages(np.full(24, 3.7))
    seen: set[float] = set()
    wait_until(lambda: seen.add(float(known(cells).sampled_s[0])) or len(seen) > 25, 0.5)  # 50 when nothing else runs
