"""An emulator that died is told before what its silence looks like."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from drivers.errors import BenchError
from drivers.event import Event, Level
from drivers.ports import Health, LinkState
from workbench.engine.arm import arm
from workbench.engine.live_bench import LiveBench


def tell_nobody(*told: object) -> None:
    del told


def station(deaths: dict[str, str]) -> LiveBench:
    def source(name: str) -> Any:
        return SimpleNamespace(
            name=name,
            health=lambda: Health(name, LinkState.SILENT, "check its power."),
            news=lambda: [Event(Level.INFO, name, "changed")],
        )

    made = object.__new__(LiveBench)
    made.cells, made.supply, made.io_box = source("cell_simulator"), source("supply"), source("io_box")
    made.dut, made.recorder = source("dut"), source("recorder")
    made.emulated = SimpleNamespace(read_deaths=lambda: deaths)  # pyright: ignore[reportAttributeAccessIssue]  # all that is asked of it
    return made


def test_the_health_of_a_source_whose_emulator_died_says_so_with_its_last_error() -> None:
    told = {health.name: health for health in station({"bms": "exit status 1: KeyError: 'cell'"}).health}
    assert told["dut"].detail == "the emulator of dut ended unexpectedly: exit status 1: KeyError: 'cell'"
    assert told["dut"].state is LinkState.DROPPED
    assert told["supply"].state is LinkState.SILENT


@pytest.mark.parametrize(("emulator", "source"), [("bms", "dut"), ("supply", "supply")])
def test_arming_names_the_dead_emulator_before_anything_else(emulator: str, source: str) -> None:
    bench = station({emulator: "killed by signal 9: no message"})
    with pytest.raises(BenchError, match=f"the emulator of {source} ended unexpectedly: killed by signal 9"):
        arm(SimpleNamespace(), bench, tell_nobody, lambda: False)  # pyright: ignore[reportArgumentType]  # ends before them


def test_what_was_changed_at_an_instrument_is_told_by_its_source() -> None:
    assert Event(Level.INFO, "supply", "changed") in station({}).news()
