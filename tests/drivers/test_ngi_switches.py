"""The cell simulator's driver against each plausible reading of its guide: it works, or says what is amiss."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivers.errors import BenchError, LinkDropped
from drivers.ports import LinkState
from drivers.scpi.link import ScpiLink
from fixtures.behaviour import NgiBehaviour
from fixtures.journal import read_journal
from tests.drivers import served
from tests.drivers.bench_instruments import make_cell_simulator
from tests.drivers.polled import known, running, until

WORK: list[dict[str, Any]] = [
    {},
    {"identity": "NGI, N83624-06-05, 0, V1.02"},
    {"terminator": "\r\n"},
    {"clients": 1, "surplus": "refuse"},
    {"clients": 1, "surplus": "queue"},
    {"clients": 1, "surplus": "replace"},
    {"list_currents": False},
    {"longest": 256},
    {"list_currents": False, "longest": 256},
    {"bare_numbers": True},
    {"list_order": "ascending"},
    {"protection_zero": "trips"},
    {"relay_s": 0.2},
    {"short_forms": "rule"},
    {"discharge_reads": -1.0},
]


def test_no_switch_is_untried() -> None:
    assert served.find_tried(Path(__file__), "cell_simulator", WORK) == {field.name for field in fields(NgiBehaviour)}


@pytest.mark.parametrize("behaviour", WORK, ids=str)
def test_the_driver_works_whichever_it_is(tmp_path: Path, behaviour: dict[str, Any]) -> None:
    sign = behaviour.get("discharge_reads", 1.0)
    wanted = np.linspace(3.1, 4.1, 24)
    with (
        served.cell_simulator(tmp_path, **behaviour) as unit,
        running(cells := make_cell_simulator(unit.address, discharge_reads=sign)),
    ):
        cells.prepare()
        cells.set_voltages(wanted)
        cells.outputs(on=True)
        unit.loom["cell_i"][6] = 0.5
        until(lambda: bool(np.allclose(known(cells).values[:24], wanted, atol=0.005)))
        until(lambda: abs(known(cells).values[24 + 6] - 0.5) < 0.01)
        unit.loom["cell_i"][6] = 0.0
        cells.fault_relay(7, "open_plus")
        assert unit.loom["cell_open"][6] == 1.0
        assert cells.outputs_state().all()
        cells.outputs(on=False)
        assert cells.complaints() == []
    entries = list(read_journal(unit.journal))
    assert max(len(entry["in"]) + 1 if "in" in entry else entry.get("bytes", 0) + 1 for entry in entries) <= 256


@pytest.mark.parametrize(("surplus", "state"), [("refuse", LinkState.DROPPED), ("queue", LinkState.SILENT)])
def test_a_unit_whose_one_client_is_another_is_told_at_connect(tmp_path: Path, surplus: str, state: LinkState) -> None:
    with served.cell_simulator(tmp_path, clients=1, surplus=surplus) as unit, ScpiLink.open(unit.address) as foreign:
        assert foreign.ask(b"*IDN?\n", 1)
        with running(cells := make_cell_simulator(unit.address, identify=0.1), state):
            assert "no other program is connected: it may accept only one client" in cells.health().detail


def test_a_unit_that_serves_the_newest_client_alone_serves_the_bench(tmp_path: Path) -> None:
    with (
        served.cell_simulator(tmp_path, clients=1, surplus="replace") as unit,
        ScpiLink.open(unit.address) as foreign,
    ):
        assert foreign.ask(b"*IDN?\n", 1)
        with running(cells := make_cell_simulator(unit.address)):
            cells.prepare()
            with pytest.raises(LinkDropped):
                foreign.ask(b"*IDN?\n", 1)


def test_a_reply_after_four_and_a_half_seconds_is_refused_with_its_time(tmp_path: Path) -> None:
    with served.cell_simulator(tmp_path, currents_after_s=4.5) as unit:
        cells = make_cell_simulator(unit.address)
        cells.start()
        until(lambda: cells.health().state is LinkState.UNFIT, within_s=8.0)
        assert "answers MEASure:CURRent? of 24 channels after 4.5 s, later than its time-out" in cells.health().detail
        cells.close()


@pytest.mark.parametrize("reads", ["position", "asked"])
def test_a_relay_that_is_refused_is_told_whatever_its_query_reads(tmp_path: Path, reads: str) -> None:
    with (
        served.cell_simulator(tmp_path, relay_reads=reads) as unit,
        running(cells := make_cell_simulator(unit.address, obey=0.2)),
    ):
        cells.prepare()
        unit.loom["cell_i"][6] = 0.2
        with pytest.raises(BenchError, match="cell 7: fault relay requested with voltage or current present"):
            cells.fault_relay(7, "open_plus")


def test_a_unit_without_the_fault_option_says_so(tmp_path: Path) -> None:
    with (
        served.cell_simulator(tmp_path, fault_option=False) as unit,
        running(cells := make_cell_simulator(unit.address, obey=0.2)),
    ):
        cells.prepare()
        with pytest.raises(BenchError, match="check that its fault relay option is fitted"):
            cells.fault_relay(7, "open_plus")
        cells.outputs(on=False)


def test_a_trip_that_output_off_does_not_clear_is_named_by_cell(tmp_path: Path) -> None:
    with (
        served.cell_simulator(tmp_path, trips_clear="never") as unit,
        running(cells := make_cell_simulator(unit.address, obey=0.2)),
    ):
        cells.prepare()
        cells.outputs(on=True)
        unit.loom["cell_i"][3] = 5.5
        until(lambda: bool(cells.complaints()))
        unit.loom["cell_i"][3] = 0.0
        cells.outputs(on=False)
        with pytest.raises(BenchError, match=r"does not switch on cell 4 .*cell 4: over-current protection"):
            cells.outputs(on=True)
