"""The faults that a person can inject: before the gate, after it in the emulator, or on the wires."""

from __future__ import annotations

import itertools
from collections.abc import Callable  # noqa: TC003  # a field of a record names it
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from control.state import BenchState
from drivers import source_names
from drivers.benchfile.units import to_si
from drivers.channel_names import cell_voltage
from drivers.clock import monotonic
from drivers.errors import PulseError, Refused
from workbench.session.bench_info import ChoiceParameter, FaultSpec, NumberParameter
from workbench.session.status import InjectedFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.benchfile.model import Bench
    from drivers.canbus.dut_map import DutMap
    from workbench.engine.live_bench import LiveBench

CELL_V: Final = "cell voltage"
BENCH_V: Final = "bench voltage"
OPEN_WIRE: Final = "open wire"
HEARTBEAT: Final = "heartbeat stopped"
SILENT: Final = "silent instrument"
STOPPED: Final = "message stopped"
STUCK: Final = "stuck temperature"
DEFAULT_CELL: Final = 7
PAST_DEVICE_V, PAST_BENCH_V = 0.05, 0.10
LOWEST_V: Final = 1.0
EMULATED: Final = frozenset({BENCH_V, SILENT, STOPPED, STUCK})


def list_offered(bench: Bench, mapped: DutMap) -> tuple[FaultSpec, ...]:
    """Return the faults that the window and the command line offer on `bench`."""
    messages = tuple(dict.fromkeys(row.message for row in mapped.rows))
    known = list_specs(bench.pack.cells, bench.io_box.thermistors, messages, find_fault_voltages(bench))
    return tuple(spec for spec in known if spec.name != HEARTBEAT or mapped.file.heartbeat is not None)


class FaultVoltages(NamedTuple):
    """Voltages (V) that a cell is stepped to: past the device limit, and past the bench limit."""

    device_v: float
    bench_v: float


def find_fault_voltages(bench: Bench) -> FaultVoltages:
    """Return what is just past the limits of the bench's cells; where none is declared, past what their BMS keeps."""
    high_v = bench.cell.file.bms.voltage_v[1]
    rows = [row for row in bench.limit if row.has_channel(cell_voltage(1))]
    device = [to_si(row.device[1], row.unit) for row in rows if row.device is not None] or [high_v]
    past = [to_si(row.bench[1], row.unit) for row in rows if row.bench is not None] or [max(device)]
    return FaultVoltages(round(max(device) + PAST_DEVICE_V, 3), round(max(past) + PAST_BENCH_V, 3))


def list_specs(cells: int, thermistors: int, messages: tuple[str, ...], volts: FaultVoltages) -> tuple[FaultSpec, ...]:
    """Return the description of each fault; `messages`: those that the device sends; `volts`: the defaults."""
    cell = NumberParameter("cell", "Cell", "1", 1, cells, min(DEFAULT_CELL, cells), whole=True)
    instruments = ChoiceParameter("instrument", "Instrument", (*source_names.INSTRUMENTS, source_names.BMS))
    message = ChoiceParameter("message", "Message", messages)
    number = NumberParameter("number", "Thermistor", "1", 1, thermistors, 1, whole=True)
    return (
        FaultSpec(
            CELL_V,
            "Cell voltage stepped past the device limit",
            "before the gate",
            (cell, NumberParameter("volts", "Voltage", "V", LOWEST_V, 4.9, volts.device_v)),
        ),
        FaultSpec(
            BENCH_V,
            "Cell voltage stepped past the bench limit",
            "in the emulator, behind the gate",
            (cell, NumberParameter("volts", "Voltage", "V", 0.0, 6.0, volts.bench_v)),
        ),
        FaultSpec(OPEN_WIRE, "Open sense wire", "fault relay, bench disarmed", (cell,)),
        FaultSpec(HEARTBEAT, "Heartbeat stopped", "on the CAN bus"),
        FaultSpec(SILENT, "Silent instrument", "in the emulator", (instruments,)),
        FaultSpec(STOPPED, "One CAN message stopped", "in the emulator; the others continue", (message,)),
        FaultSpec(STUCK, "Stuck temperature", "in the emulator", (number,)),
    )


@dataclass(frozen=True)
class Effect:
    """How a fault is applied and undone; faults of one `part` replace each other, and the newest shows.

    `clears_all`: `undo` clears every fault of this part, so that those that stay are applied again.
    """

    part: str
    apply: Callable[[], None]
    undo: Callable[[], None]
    clears_all: bool = False


class InjectedFaults:
    """The faults that are injected now, each with its own effect: the same fault may be injected twice."""

    def __init__(self, station: LiveBench) -> None:
        self._station = station
        self._numbers = itertools.count(1)
        self._active: dict[int, tuple[InjectedFault, Effect]] = {}

    @property
    def injected(self) -> tuple[InjectedFault, ...]:
        return tuple(fault for fault, _ in self._active.values())

    def inject(self, name: str, parameters: Mapping[str, float | str]) -> int:
        """Inject a fault and return its number; raise `Refused` or `BenchError`."""
        if name in EMULATED and self._station.emulated is None:
            raise Refused(f"{name} needs an emulated bench", hint="inject it by hand on the real part")
        self._check(name, parameters)
        sentence, effect = self._find_effect(name, parameters)
        effect.apply()
        number = next(self._numbers)
        self._active[number] = (InjectedFault(number, name, sentence, monotonic()), effect)
        return number

    def _check(self, name: str, parameters: Mapping[str, float | str]) -> None:
        """Raise `Refused` unless every parameter is within its bounds."""
        known = list_offered(self._station.bench, self._station.dut.map)
        spec = next((spec for spec in known if spec.name == name), None)
        if spec is None:
            raise Refused(f"fault {name} is unknown", hint=f"faults: {', '.join(spec.name for spec in known)}")
        for parameter in spec.parameters:
            value = parameters.get(parameter.name)
            if not parameter.allows(value):
                raise Refused(f"{name}: {parameter.name} {value} is not in {parameter.bounds}", value=value)

    def clear(self, number: int) -> None:
        """Clear one fault; those that act on the same part stay. Raise `Refused` if there is no such fault."""
        if number not in self._active:
            raise Refused(f"fault {number} is not injected")
        _, cleared = self._active.pop(number)
        rest = [effect for _, effect in self._active.values() if effect.part == cleared.part]
        if not rest or cleared.clears_all:
            cleared.undo()
        for effect in rest:  # the newest last: it is the one that shows
            effect.apply()

    def clear_all(self) -> None:
        """Clear every fault; if one cannot be cleared, clear the others and raise its error."""
        errors: list[PulseError] = []
        for number in reversed(list(self._active)):
            try:
                self.clear(number)
            except PulseError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def _find_effect(self, name: str, parameters: Mapping[str, float | str]) -> tuple[str, Effect]:
        match name:
            case "cell voltage":
                return self._cell_voltage(int(parameters["cell"]), float(parameters["volts"]))
            case "bench voltage":
                return self._bench_voltage(int(parameters["cell"]), float(parameters["volts"]))
            case "open wire":
                return self._open_wire(int(parameters["cell"]))
            case "heartbeat stopped":
                beat = self._station.dut.heartbeat
                return "no heartbeat to the BMS", Effect(name, lambda: beat(on=False), lambda: beat(on=True))
            case _:
                return self._emulated(name, parameters)

    def _emulated(self, name: str, parameters: Mapping[str, float | str]) -> tuple[str, Effect]:
        match name:
            case "silent instrument":
                instrument = str(parameters["instrument"])
                return f"{instrument} is silent", self._find_emulated("mute", instrument, instrument=instrument)
            case "message stopped":
                message = str(parameters["message"])
                return f"{message} has stopped", self._find_emulated(
                    "stopped_message", source_names.BMS, message=message
                )
            case "stuck temperature":
                number = int(parameters["number"])
                effect = self._find_emulated("stuck_thermistor", source_names.IO_BOX, number=number)
                return f"thermistor {number} keeps its value", effect
            case _:
                raise Refused(f"fault {name} cannot be injected yet")

    def _find_emulated(self, fault: str, inside: str, /, **at: object) -> Effect:
        """Return the effect of a fault in the emulator `inside`, which clears all faults of one kind together.

        Raise `Refused` if the bench has the real part.
        """
        emulated = self._station.emulated
        if emulated is None or not emulated.has_part(inside):
            raise Refused(f"{inside} of this bench is not emulated", hint="inject it by hand on the real part")
        return Effect(fault, lambda: emulated.inject(fault, **at), lambda: emulated.clear(fault), clears_all=True)

    def _cell_voltage(self, cell: int, volts: float) -> tuple[str, Effect]:
        faults, added = self._station.loop.faults, volts - self._twin_voltage(cell)
        effect = Effect(f"{CELL_V} {cell}", lambda: faults.__setitem__(cell, added), lambda: faults.__delitem__(cell))
        return f"cell {cell} stepped to {volts:.3f} V", effect

    def _bench_voltage(self, cell: int, volts: float) -> tuple[str, Effect]:
        added = volts - self._twin_voltage(cell)
        effect = self._find_emulated("cell_offset", source_names.CELL_SIMULATOR, cell=cell, volts=added)
        return f"cell {cell} stepped to {volts:.3f} V behind the gate", effect

    def _twin_voltage(self, cell: int) -> float:
        loop = self._station.loop
        pack = loop.tick.twins.get(loop.parts.twins.active) if loop.tick else None
        if pack is None:
            raise Refused("the active twin has no voltage yet", hint="wait a moment")
        return float(pack.voltage_v[cell - 1])

    def _open_wire(self, cell: int) -> tuple[str, Effect]:
        cells = self._station.cells

        def open_wire() -> None:
            if any(effect.part == part for _, effect in self._active.values()):
                return  # it is open
            if self._station.loop.machine.state is not BenchState.CONNECTED:
                raise Refused("a wire can only be opened while the BMS is unpowered", hint="disarm first")
            cells.prepare()
            cells.fault_relay(cell, "open_plus")

        part = f"{OPEN_WIRE} {cell}"
        return f"wire of cell {cell} is open", Effect(part, open_wire, lambda: cells.fault_relay(cell, "normal"))
