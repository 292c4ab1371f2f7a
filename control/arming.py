"""The arming checklist: what a bench must prove before it may carry current, in the order of switching on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol

import numpy as np

from control.cell_order import STEP_V, staircase, wrong_order
from control.device import DeviceBehaviour
from drivers import source_names
from drivers.channel_names import (
    BMS_BALANCING,
    BMS_CONTACTOR,
    BMS_FAULT,
    BMS_FAULT_CELL,
    BMS_STATE,
    CONTACTOR,
    ESTOP,
    PACK_CURRENT,
    SUPPLY_CURRENT,
    sensed_voltage,
)
from drivers.errors import PulseError
from drivers.identity import has_model

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from drivers.snapshot import Floats

IDENTITIES: Final = "identities"  # check of the instruments' identities; its `values` are by instrument name
FRAMES: Final = 10  # readings averaged: noise of 1 mV falls to a fifteenth of a step
FRAME_S: Final = 0.1
FAST_S: Final = 0.04
LATE_S: Final = 1.0
BALANCING_S: Final = 1.0
TEST_A: Final = 1.0
ZERO_A: Final = 0.3
CHANGE_A: Final = 0.3
PROVEN: Final = "value written by the guard was read back"
UNPROVEN: Final = "value written by the guard was not read back: the supply may not accept a second client, the guard"
CURRENTS: Final = (PACK_CURRENT, SUPPLY_CURRENT)


class Identified(Protocol):
    """A part that reports its identity, with its firmware."""

    def identity(self) -> str: ...


class CellOutputs(Identified, Protocol):
    """The cell simulator, as far as arming uses it."""

    def prepare(self) -> None: ...
    def protections(self) -> tuple[Floats, Floats]: ...
    def set_voltages(self, volts: Floats) -> None: ...
    def outputs(self, on: bool) -> None: ...  # noqa: FBT001  # the driver's verb


class CurrentSource(Identified, Protocol):
    """The supply, as far as arming uses it."""

    def lock(self, on: bool) -> None: ...  # noqa: FBT001  # the driver's verb
    def prepare(self) -> None: ...
    def protections(self) -> tuple[float, float, float]:
        """Return over-voltage in V, then over-current in A, sourced and sunk."""
        ...

    def set_current(self, current_a: float) -> None: ...
    def output(self, on: bool) -> None: ...  # noqa: FBT001  # the driver's verb


class ArmingDevice(Protocol):
    """The device under test, as far as arming uses it."""

    @property
    def dbc_hash(self) -> str: ...
    def request(
        self, contactor: Literal["open", "close", "none"], *, reset: bool = False, balance_off: bool = False
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of the checklist; `hint` states what to do about a failure.

    `values`: what was read, by name, for programs that need it.
    """

    name: str
    ok: bool
    detail: str
    hint: str = ""
    values: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class ArmingBench:
    """What arming works on. `read` returns a channel's newest value, `wait` waits the given seconds.

    `expect`: the expected model of each identity; `others`: further parts that have one. `cell_v`: the cell voltages
    from which the cell-order check steps. `protect`: declared (V, A) of cell simulator and supply. `dbc_hash` empty:
    any DBC is accepted. `prove_guard`: whether an instrument accepts the guard's own connection. `going_live` is called
    before contactors close. `word` names the value of a state or a fault as in the device's own description.
    """

    cells: CellOutputs
    supply: CurrentSource
    device: ArmingDevice
    others: Mapping[str, Identified]
    expect: Mapping[str, str]
    protect: tuple[tuple[float, float], tuple[float, float]]
    cell_v: Floats
    dbc_hash: str
    prove_guard: Callable[[], bool]
    going_live: Callable[[], None]
    read: Callable[[str], float]
    wait: Callable[[float], None]
    word: Callable[[str, float], str] = lambda channel, value: f"{value:g}"  # noqa: ARG005  # no description
    behaviour: DeviceBehaviour = field(default_factory=DeviceBehaviour)


@dataclass
class Arming:
    """The checklist of one bench; it ends at the first failure, with current and contactors off."""

    bench: ArmingBench
    _zero_a: dict[str, float] = field(default_factory=dict[str, float])
    _values: dict[str, str] = field(default_factory=dict[str, str])

    def run(self) -> Generator[CheckResult, None, None]:
        """Yield each check when it is done; if all pass, cells are live, contactors closed, the supply on at 0 A."""
        checks: Sequence[tuple[str, Callable[[], tuple[bool, str]], str]] = (
            (IDENTITIES, self._identities, "check addresses and firmware in the bench file"),
            ("emergency-stop chain", self._chain, "release the emergency stop"),
            ("protections", self._protections, "set them at the instrument as the bench file declares"),
            ("DBC", self._dbc, "use the DBC that belongs to this firmware, or declare the new one"),
            ("guard's connection", self._guard, "allow a second connection at the instrument, or wire its inhibit"),
            ("cells live", self._cells_live, "read the name of the fault; remove its cause, then arm again"),
            (
                "balancing off",
                self._balancing,
                "wait until the BMS has finished balancing, or check its request message",
            ),
            ("cell order", self._order, "correct the wiring of the named sense leads"),
            ("zero current", self._zero, "calibrate the shunt's zero"),
            ("contactors", self._contactors, "read state and fault of the BMS"),
            ("polarity", self._polarity, "exchange the shunt's sense leads, or the supply's leads"),
        )
        armed = False
        try:
            for name, check, hint in checks:
                self._values = {}
                try:
                    passed, detail = check()
                except PulseError as error:
                    passed, detail = False, str(error)
                yield CheckResult(name, passed, detail, "" if passed else hint, self._values)
                if not passed:
                    return
            armed = True
        finally:
            if not armed:  # also when the caller stops before the next check
                self._back_off()

    def _identities(self) -> tuple[bool, str]:
        bench = self.bench
        parts: dict[str, Identified] = {
            source_names.CELL_SIMULATOR: bench.cells,
            source_names.SUPPLY: bench.supply,
            **bench.others,
        }
        self._values = {name: part.identity() for name, part in parts.items()}
        for name, identity in self._values.items():
            if not has_model(identity, bench.expect[name]):
                return False, f"{name} answers as {identity}, expected {bench.expect[name]}"
        return True, "; ".join(self._values.values())

    def _chain(self) -> tuple[bool, str]:
        value = self.bench.read(ESTOP)
        return value == 1.0, f"{ESTOP} reads {value:g}"

    def _protections(self) -> tuple[bool, str]:
        bench = self.bench
        bench.supply.lock(on=True)
        bench.supply.prepare()
        bench.cells.prepare()
        (cell_v, cell_a), (supply_v, supply_a) = bench.protect
        cells_v, cells_a = bench.cells.protections()
        volts, sourced_a, sunk_a = bench.supply.protections()
        for name, value, declared, unit in (
            (source_names.CELL_SIMULATOR, cells_v, cell_v, "V"),
            (source_names.CELL_SIMULATOR, cells_a, cell_a, "A"),
            (source_names.SUPPLY, volts, supply_v, "V"),
            (source_names.SUPPLY, sourced_a, supply_a, "A sourced"),
            (source_names.SUPPLY, sunk_a, supply_a, "A sunk"),
        ):
            if not np.allclose(value, declared, rtol=0.005):
                return False, f"{name} protects at {np.max(value):.3f} {unit}, declared {declared:.3f} {unit}"
        return True, f"cells {cell_v:g} V, {cell_a:g} A; supply {supply_v:g} V, {supply_a:g} A sourced and sunk"

    def _dbc(self) -> tuple[bool, str]:
        found, declared = self.bench.device.dbc_hash, self.bench.dbc_hash
        return not declared or found == declared, f"sha256 {found[:12]}" + (
            f", declared {declared[:12]}" * bool(declared)
        )

    def _guard(self) -> tuple[bool, str]:
        is_accepted = self.bench.prove_guard()
        return is_accepted, PROVEN if is_accepted else UNPROVEN

    def _cells_live(self) -> tuple[bool, str]:
        bench = self.bench
        bench.device.request("open", balance_off=True)
        bench.cells.set_voltages(bench.cell_v)
        bench.cells.outputs(on=True)
        bench.wait(bench.behaviour.settle_s)
        # held until contactors are requested to close: the BMS accepts a reset once no other sender requests open
        bench.device.request("open", reset=True, balance_off=True)
        healthy = self._until(bench.behaviour.health_channel, bench.behaviour.healthy, bench.behaviour.healthy_s)
        open_now = bench.read(BMS_CONTACTOR) == 0.0 and bench.read(CONTACTOR) == 0.0
        detail = f"{self._fault()}, contactor {'open' if open_now else 'NOT open'}"
        return healthy and open_now, detail

    def _balancing(self) -> tuple[bool, str]:
        if not self.bench.behaviour.balances:
            return True, "the device map declares no balancing: nothing to switch off, not verified"
        off = self._until(BMS_BALANCING, (0.0,), BALANCING_S)
        return off, f"{BMS_BALANCING} reads {self.bench.read(BMS_BALANCING):g}"

    def _order(self) -> tuple[bool, str]:
        bench = self.bench
        cells = len(bench.cell_v)
        bench.cells.set_voltages(float(np.mean(bench.cell_v)) + staircase(cells))
        bench.wait(bench.behaviour.settle_s)
        read_v = self._mean([sensed_voltage(n) for n in range(1, cells + 1)], FRAME_S)
        bench.cells.set_voltages(bench.cell_v)
        wrong = wrong_order(read_v)
        return not wrong, wrong or f"{cells} cells in steps of {STEP_V * 1e3:.0f} mV, each in the right place"

    def _zero(self) -> tuple[bool, str]:
        self.bench.supply.set_current(0.0)
        self.bench.wait(self.bench.behaviour.current_s)
        self._zero_a = dict(zip(CURRENTS, self._mean(CURRENTS, FAST_S).tolist(), strict=True))
        detail = ", ".join(f"{name} {value:+.3f} A" for name, value in self._zero_a.items())
        return all(abs(value) <= ZERO_A for value in self._zero_a.values()), f"{detail} (limit {ZERO_A:g} A)"

    def _contactors(self) -> tuple[bool, str]:
        bench = self.bench
        bench.going_live()
        bench.device.request("close", balance_off=True)
        close_s = bench.behaviour.close_s
        closed = self._until(BMS_CONTACTOR, (1.0,), close_s) and self._until(CONTACTOR, (1.0,), close_s)
        if not closed:
            state = bench.word(BMS_STATE, bench.read(BMS_STATE))
            return False, f"not closed within {close_s:g} s: BMS state {state}, {self._fault()}"
        bench.supply.output(on=True)  # only now: at 0 A and with the loop closed
        return True, "closed through precharge, supply on at 0 A"

    def _polarity(self) -> tuple[bool, str]:
        details: list[str] = []
        good = True
        for requested_a, way in ((TEST_A, "sunk"), (-TEST_A, "sourced")):
            self.bench.supply.set_current(requested_a)
            self.bench.wait(self.bench.behaviour.current_s)
            for name, read_a in zip(CURRENTS, self._mean(CURRENTS, FAST_S).tolist(), strict=True):
                change_a = read_a - self._zero_a[name]
                good = good and abs(change_a - requested_a) <= CHANGE_A
                details.append(f"{name} {change_a:+.2f} A at {requested_a:+.0f} A {way}")
        self.bench.supply.set_current(0.0)
        self.bench.device.request("close")
        return good, ", ".join(details)

    def _fault(self) -> str:
        """Return the fault that the device reports, and its cell."""
        fault = self.bench.read(BMS_FAULT)
        health, healthy = self.bench.behaviour.health_channel, self.bench.behaviour.healthy
        if fault == 0.0:
            value = self.bench.read(health)
            return "no fault" if value in healthy else f"no fault, {health} {self.bench.word(health, value)}"
        cell = self.bench.read(BMS_FAULT_CELL)
        return f"fault {self.bench.word(BMS_FAULT, fault)}" + (f" in cell {cell:g}" if cell > 0.0 else "")

    def _mean(self, names: Sequence[str], every_s: float) -> Floats:
        """Return the average of `FRAMES` readings of each channel; NaN where one stayed missing.

        A late reading, as on a busy machine, does not mean a wrong wire: wait for it, `LATE_S` in all.
        """
        rows, wait_s = np.empty((FRAMES, len(names))), LATE_S
        for row in rows:
            self.bench.wait(every_s)
            row[:] = [self.bench.read(name) for name in names]
            while np.isnan(row).any() and wait_s > 0.0:
                self.bench.wait(FAST_S)
                wait_s -= FAST_S
                row[:] = [self.bench.read(name) for name in names]
        return rows.mean(axis=0)

    def _until(self, name: str, expected: tuple[float, ...], within_s: float) -> bool:
        """Wait until a channel reads one of `expected`; return whether it did within `within_s`."""
        for _ in range(round(within_s / FAST_S)):
            if self.bench.read(name) in expected:
                return True
            self.bench.wait(FAST_S)
        return self.bench.read(name) in expected

    def _back_off(self) -> None:
        """Switch off current, then open its path; leave the cells on, or a live BMS would detect open wires."""
        for act in (
            lambda: self.bench.supply.set_current(0.0),
            lambda: self.bench.supply.output(on=False),
            lambda: self.bench.device.request("open"),
        ):
            with suppress(Exception):  # the failure that led here is reported; the guard covers a failure here
                act()
