"""An emulator that died is told before what its silence looks like."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from control.arming import Arming, CheckResult
from drivers.errors import BenchError, CheckFailed
from drivers.event import Event, Level
from drivers.ports import Health, LinkState
from workbench.engine import arm as arming
from workbench.engine.live_bench import LiveBench
from workbench.session.status import ChecklistLine, CheckState

if TYPE_CHECKING:
    from collections.abc import Iterator


def tell_nobody(*told: object, **named: object) -> None:
    del told, named


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
        arming.arm(SimpleNamespace(), bench, tell_nobody, lambda: False)  # pyright: ignore[reportArgumentType]  # ends before them


def test_an_emulator_that_dies_amid_the_checklist_is_named_instead_of_the_check_that_failed_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deaths: dict[str, str] = {}
    bench, told = station(deaths), list[ChecklistLine]()
    for name in ("cells", "supply", "io_box", "dut"):
        getattr(bench, name).health = lambda name=name: Health(name, LinkState.OK)
    bench.dut.heartbeat = bench.io_box.power = tell_nobody  # pyright: ignore[reportAttributeAccessIssue]  # all that is asked
    bench.loop = SimpleNamespace(parts=SimpleNamespace(shadow=None), override_command=None, live=False)  # pyright: ignore[reportAttributeAccessIssue]  # all that is asked

    def run(_: Arming) -> Iterator[CheckResult]:
        yield CheckResult("identities", ok=True, detail="as expected")
        deaths["bms"] = "killed by signal 9: no message"
        yield CheckResult("cells live", ok=False, detail="fault unknown, contactor NOT open", hint="read its name")

    def tell(checks: tuple[ChecklistLine, ...], *_: object) -> None:
        told[:] = checks

    monkeypatch.setattr(Arming, "run", run)
    monkeypatch.setattr(arming, "_bench", tell_nobody)
    with pytest.raises(BenchError, match="the emulator of dut ended unexpectedly: killed by signal 9") as raised:
        arming.arm(SimpleNamespace(), bench, tell, lambda: False)  # pyright: ignore[reportArgumentType]  # ends before them
    assert not isinstance(raised.value, CheckFailed)
    assert raised.value.where == "cells live"
    assert [line.state for line in told] == [CheckState.OK, CheckState.FAILED]


def test_what_was_changed_at_an_instrument_is_told_by_its_source() -> None:
    assert Event(Level.INFO, "supply", "changed") in station({}).news()
