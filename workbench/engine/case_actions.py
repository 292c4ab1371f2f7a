"""The actions of a certification case on the armed bench; each requested command passes the gate like any other."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from control.gate import Allowed
from control.state import BenchState
from drivers.clock import monotonic
from drivers.errors import BenchError, PulseError, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.scpi.source import SentSetpoint
    from drivers.snapshot import Command, Floats
    from workbench.engine.live_bench import LiveBench

SEND_S: Final = 0.5
POWER_S: Final = 2.0
LOOK_S: Final = 0.001


class Setpoint(Protocol):
    """An instrument that keeps the set-point that was sent to it last."""

    @property
    def sent(self) -> SentSetpoint | None: ...


@dataclass(frozen=True)
class _Requested:
    """A sender and the values that it must send."""

    sender: Setpoint
    values: Floats


class CaseActions:
    """The actions of a case on one live bench; `do` runs on the operator's thread."""

    def __init__(self, station: LiveBench) -> None:
        self._station = station
        self._rest: Command | None = None
        self._acts: dict[str, Callable[..., dict[str, Any]]] = {
            "begin": self._begin,
            "command": self._request_command,
            "heartbeat": self._heartbeat,
            "request": self._request,
            "power": self._power,
            "auxiliary": self._auxiliary,
            "look": dict,
        }

    def do(self, act: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Run one action; return `asked_s` and `late_s`, and `sent_s` for a requested command.

        Raise `Refused` or `BenchError`. `late_s`: how long the machine has delayed an emulated device so far; 0 for a
        real one.
        """
        if act not in self._acts:
            raise Refused(f"a case cannot {act}", hint=f"its actions: {', '.join(self._acts)}")
        if act != "begin" and self._rest is None:
            raise Refused("no case has begun on this bench", hint="begin first")
        emulated = self._station.emulated
        times = {"asked_s": monotonic(), "late_s": 0.0 if emulated is None else emulated.device_late_s}
        return times | self._acts[act](**arguments)

    def end(self) -> None:
        """End the case: let the lanes act again, release what the case held."""
        if self._rest is None:
            return
        self._rest = None
        self._station.loop.override_command = None
        self._station.actuator.held_k = {}
        with contextlib.suppress(PulseError):  # a later arming reports what a lost box still holds
            self._station.io_box.hold_auxiliary("through")

    def _begin(self) -> dict[str, Any]:
        """Hold the present command at no current until the case requests another; return its cell voltages in V."""
        loop = self._station.loop
        if loop.machine.state is not BenchState.ARMED or loop.tick is None:
            raise Refused("a case needs an armed bench", hint="arm it first")
        self._rest = replace(loop.tick.verdict.apply, current_a=0.0)
        loop.override_command = self._rest
        return {"rest_v": self._rest.cell_voltage_v.tolist()}

    def _request_command(
        self,
        *,
        cells_v: Mapping[int, float] | None = None,
        current_a: float = 0.0,
        sensors_k: Mapping[int, float] | None = None,
    ) -> dict[str, Any]:
        """Request a current, and values of the cells and sensors (numbered from 1) that differ from rest.

        Return once the command was sent. Raise `BenchError` with the gate's reason if the gate does not allow it.
        """
        rest = self._rest
        assert rest is not None  # noqa: S101  # `do` has checked it
        station, actuator = self._station, self._station.actuator
        volts, kelvin = rest.cell_voltage_v.copy(), rest.cell_temperature_k.copy()
        for cell, value_v in (cells_v or {}).items():
            volts[cell - 1] = value_v
        for sensor, value_k in (sensors_k or {}).items():
            kelvin[actuator.find_cells(len(kelvin), sensor)] = value_k
        command = replace(rest, current_a=current_a, cell_voltage_v=volts, cell_temperature_k=kelvin)
        held_k = self._find_held(rest, sensors_k or {})
        both_k = {**actuator.held_k, **held_k}  # held before the command comes, or they would follow it
        actuator.held_k = {number: value_k for number, value_k in both_k.items() if number not in (sensors_k or {})}
        parts = (
            _Requested(station.cells, volts),
            _Requested(station.supply, np.array([current_a])),
            _Requested(station.io_box, actuator.find_thermistor_k(kelvin)),
        )
        new = [part for part in parts if not _is_sent(part)]
        station.loop.override_command = command
        until_s = monotonic() + SEND_S
        while not all(_is_sent(part) for part in new):
            if monotonic() > until_s:
                raise BenchError(
                    f"the command of a case was not sent: {self._why_not_sent(command)}",
                    hint="check the state of the bench",
                )
            time.sleep(LOOK_S)
        actuator.held_k = held_k
        return {"sent_s": max((_sent_s(part) for part in new), default=monotonic())}

    def _find_held(self, rest: Command, sensors_k: Mapping[int, float]) -> dict[int, float]:
        """Return the rest temperatures (K) of the thermistors that share a cell with one that a case sets."""
        cell_k, actuator = rest.cell_temperature_k, self._station.actuator
        sharing = {other for sensor in sensors_k for other in actuator.list_sharing(len(cell_k), sensor)}
        return {
            other: float(cell_k[actuator.find_cells(len(cell_k), other)].mean()) for other in sharing - set(sensors_k)
        }

    def _why_not_sent(self, command: Command) -> str:
        tick = self._station.loop.tick
        if tick is None or isinstance(tick.verdict, Allowed) or tick.requested is not command:
            return f"no instrument accepted it within {SEND_S:g} s"
        return tick.verdict.reason

    def _heartbeat(self, *, on: bool) -> dict[str, Any]:
        """Start or stop the heartbeat; return the time of the last beat.

        On a stop, wait one period, since a beat may be in progress.
        """
        dut = self._station.dut
        rules = dut.map.file.heartbeat
        if rules is None:
            raise Refused("the device map declares no heartbeat", hint="add [heartbeat] if the device has one")
        dut.heartbeat(on=on)
        time.sleep(0.0 if on else rules.period_ms / 1e3)
        return {"sent_s": dut.last_beat_s}

    def _request(self, *, contactor: str, reset: bool = False) -> dict[str, Any]:
        if contactor not in ("open", "close", "none"):
            raise Refused(f"contactor {contactor} cannot be requested", hint="use open, close or none")
        self._station.dut.request(contactor, reset=reset, balance_off=True)
        return {}

    def _power(self, *, on: bool) -> dict[str, Any]:
        self._station.io_box.power(on=on)
        return {"done_s": monotonic()}

    def _auxiliary(self, *, state: str) -> dict[str, Any]:
        if state not in ("through", "open", "closed"):
            raise Refused(f"the auxiliary contact cannot be {state}", hint="use through, open or closed")
        self._station.io_box.hold_auxiliary(state)
        return {"done_s": monotonic()}


def _is_sent(part: _Requested) -> bool:
    sent = part.sender.sent
    return sent is not None and np.array_equal(sent.values, part.values)


def _sent_s(part: _Requested) -> float:
    sent = part.sender.sent
    return monotonic() if sent is None else sent.at_s
