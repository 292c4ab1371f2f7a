"""From Connected to Armed: power the device under test and run the checklist; each of its commands passes the gate."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from control.arming import Arming, ArmingBench, CheckResult
from control.device import DeviceBehaviour
from control.guard_reports import ArmAnswer
from control.state import BenchState
from drivers import source_names
from drivers.channel_names import BMS_BALANCING
from drivers.clock import monotonic
from drivers.errors import BenchError, CheckFailed, Refused
from drivers.ports import LinkState
from workbench.session.status import ChecklistLine, CheckState

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.canbus.dut_map import DutMap
    from drivers.scpi.cell_simulator import CellSimulator
    from drivers.scpi.supply import Supply
    from drivers.snapshot import Floats
    from workbench.engine.engine import Engine
    from workbench.engine.live_bench import LiveBench

USUAL_S: Final = 8.0  # the remaining time is computed from it
ARMED_S: Final = 0.2
LOOK_S: Final = 0.01


def arm(
    engine: Engine,
    station: LiveBench,
    tell: Callable[[tuple[ChecklistLine, ...], float, float | None], None],
    cancelled: Callable[[], bool],
) -> None:
    """Run the checklist; raise `Refused`, or `CheckFailed` for the check that failed. The caller switches off then."""
    _check_alive(station)
    absent = [
        health for health in station.health if health.state is not LinkState.OK and health.name != source_names.DUT
    ]
    if absent:
        raise Refused(f"{absent[0].name} is {absent[0].state}: {absent[0].detail}", hint="repair it, then arm")
    station.dut.heartbeat(on=True)
    station.io_box.power(on=True)
    if station.loop.parts.shadow is not None:
        station.loop.parts.shadow.start()  # while nothing is live: its libraries take seconds
    began_s = monotonic()
    checks: list[ChecklistLine] = []
    try:
        for result in Arming(_bench(station, cancelled)).run():
            checks.append(_check(result))
            elapsed_s = monotonic() - began_s
            tell(tuple(checks), min(1.0, elapsed_s / USUAL_S), max(0.0, USUAL_S - elapsed_s))
            if not result.ok:
                _check_alive(station, result.name)
                raise CheckFailed(f"{result.name}: {result.detail}", hint=result.hint)
        engine.between_turns(lambda: station.loop.machine.to(BenchState.ARMED))
    finally:
        station.loop.override_command, station.loop.live = None, False


def _check_alive(station: LiveBench, during: str = "") -> None:
    """Raise `BenchError` if an emulator has died: this cause is reported before the silence that follows from it."""
    for sentence in station.deaths().values():
        where = during or None
        raise BenchError(sentence, where=where, hint="disconnect and connect again to start a new emulated bench")


def _check(result: CheckResult) -> ChecklistLine:
    state = CheckState.OK if result.ok else CheckState.FAILED
    return ChecklistLine(result.name, state, result.detail, result.hint, result.values)


def _bench(station: LiveBench, cancelled: Callable[[], bool]) -> ArmingBench:
    """Return the bench for the checklist: set-points go through the loop, service calls to the instruments."""
    declared = station.bench
    tick = station.loop.tick
    pack = tick.twins.get(station.loop.parts.twins.active) if tick else None
    if tick is None or pack is None:
        raise Refused("the active twin has no voltage yet", hint="wait a moment, then arm")
    station.loop.override_command = replace(tick.requested, current_a=0.0, cell_voltage_v=pack.voltage_v.copy())
    simulator, supply = declared.cell_simulator.protect, declared.supply.protect

    def wait(seconds: float) -> None:
        until_s = monotonic() + seconds
        while (left_s := until_s - monotonic()) > 0.0:
            _raise_if_ended(station, cancelled)
            time.sleep(min(LOOK_S, left_s))

    def word(channel: str, value: float) -> str:
        words = station.dut.map.words(channel)
        return "unknown" if math.isnan(value) else words.get(int(value), f"{value:g}")

    def prove_guard() -> bool:
        def write(message: bytes) -> None:
            station.guard.mark(message)

        return station.supply.connections_ok(write)

    return ArmingBench(
        cells=ThroughGate(station.cells, station),
        supply=CurrentThroughGate(station.supply, station),
        device=station.dut,
        others={source_names.IO_BOX: station.io_box},
        expect={name: section.expect for name, section in declared.instruments.items()},
        protect=((simulator.voltage_v, simulator.current_a), (supply.voltage_v, supply.current_a)),
        cell_v=pack.voltage_v.copy(),
        dbc_hash=declared.dut.dbc_sha256,
        prove_guard=prove_guard,
        going_live=lambda: _go_live(station, cancelled),
        read=station.read,
        wait=wait,
        word=word,
        behaviour=_behaviour(station.dut.map),
    )


def _behaviour(mapped: DutMap) -> DeviceBehaviour:
    times, health = mapped.file.times, mapped.file.health
    return DeviceBehaviour(
        settle_s=times.settle_ms / 1e3,
        current_s=times.current_ms / 1e3,
        healthy_s=times.healthy_ms / 1e3,
        close_s=times.close_ms / 1e3,
        health_channel=health.channel,
        healthy=mapped.healthy,
        balances=any(row.channel == BMS_BALANCING for row in mapped.rows),
    )


def _raise_if_ended(station: LiveBench, cancelled: Callable[[], bool]) -> None:
    """Raise `BenchError` if the bench has tripped or the operator has cancelled the checklist."""
    if station.loop.machine.state is BenchState.TRIPPED:
        raise BenchError(f"the bench has tripped: {station.loop.machine.reason}")
    if cancelled():
        raise BenchError("cancelled by the operator")


def _go_live(station: LiveBench, cancelled: Callable[[], bool]) -> None:
    """Arm the guard and set the loop live: contactors may close only once the guard has confirmed that it is armed."""
    _raise_if_ended(station, cancelled)
    number = station.guard.arm()
    station.wait_until(lambda: station.guard.answer(number) is not None, ARMED_S)
    answer = station.guard.answer(number)
    if answer is not None and answer.cause:
        raise BenchError(f"the guard has tripped: {answer.cause}")
    if not (isinstance(answer, ArmAnswer) and answer.armed):
        raise BenchError(f"the guard has not confirmed within {ARMED_S:g} s that it is armed")
    station.loop.live = True


class ThroughGate:
    """The cell simulator for the checklist: voltages become the loop's command."""

    def __init__(self, cells: CellSimulator, station: LiveBench) -> None:
        self.identity, self.prepare, self.protections = cells.identity, cells.prepare, cells.protections
        self.outputs = cells.outputs
        self._station = station

    def set_voltages(self, volts: Floats) -> None:
        loop = self._station.loop
        if loop.override_command is not None:
            loop.override_command = replace(loop.override_command, cell_voltage_v=volts)


class CurrentThroughGate:
    """The supply for the checklist: its current becomes the loop's command."""

    def __init__(self, supply: Supply, station: LiveBench) -> None:
        self.identity, self.prepare, self.protections = supply.identity, supply.prepare, supply.protections
        self.lock, self.output = supply.lock, supply.output
        self._station = station

    def set_current(self, current_a: float) -> None:
        loop = self._station.loop
        if loop.override_command is not None:
            loop.override_command = replace(loop.override_command, current_a=current_a)
