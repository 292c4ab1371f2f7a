"""The bidirectional supply that drives the pack current through the series loop."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.errors import BenchError
from drivers.ports import Health, LinkState
from drivers.scpi import codec
from drivers.scpi import ea_psb10000 as page
from drivers.scpi.declare import ON_OFF
from drivers.scpi.poller import Reading
from drivers.scpi.source import ScpiSource
from drivers.snapshot import Channel

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.scpi.declare import Quantity
    from drivers.scpi.link import Link

DISOBEYED: Final = 5  # exchanges: longer than the instrument's delay
RESOLUTION: Final = 0.02  # V or A between what was written and what is read back
REST: Final = (0.0, 0.0, 0.0)

CHANNELS: Final = (
    Channel("supply/output", "1", 0.0, 1.0),
    Channel("supply/voltage", "V", -1.0, page.PROTECT_VOLTAGE.high),
    Channel("supply/current", "A", -page.PROTECT_CURRENT.high, page.PROTECT_CURRENT.high),
    Channel("supply/power", "W", -page.SOURCE_POWER.high, page.SOURCE_POWER.high),
)


class Supply(ScpiSource):
    """An EA PSB 10000 at `address`; `charge_v` sources into the loop, `discharge_v` sinks from it."""

    identity_query = codec.message(page.IDENTITY.ask())
    next_error = page.ERRORS.ask()
    gap_s = page.GAP_S

    def __init__(
        self,
        address: str,
        expect: str,
        period_s: float,
        *,
        protect_voltage_v: float,
        protect_current_a: float,
        charge_v: float,
        discharge_v: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__("supply", address, expect, period_s, CHANNELS, clock=clock)
        self._protect = page.Protections(protect_voltage_v, protect_current_a, protect_current_a)
        self._charge_v, self._discharge_v = charge_v, discharge_v
        self._wanted: tuple[float, tuple[float, ...], bytes] | None = None
        self._written: tuple[tuple[float, ...], tuple[float, ...]] = REST, REST  # the one before, the newest
        self._remote = self._held = False  # as the instrument says, as we took it
        self._disobeyed = 0
        self._complaint = ""

    def set_current(self, current_a: float) -> None:
        """Hand over the loop current (A, discharge positive) for the next exchange; raises `BenchError` for NaN."""
        if not math.isfinite(current_a):
            raise BenchError(f"current {current_a} A is no set-point", where=self.name, value=current_a)
        voltage_v = self._charge_v if current_a < 0.0 else self._discharge_v
        values = (voltage_v, max(0.0, -current_a), max(0.0, current_a))
        self._wanted = current_a, values, page.set_points(values)

    def forget(self) -> None:
        self._wanted, self._remote = None, False

    def health(self) -> Health:
        """Says of an answering supply what it does not take."""
        health = super().health()
        return replace(health, detail=self._complaint) if health.state is LinkState.OK else health

    def exchange(self, link: Link) -> Reading:
        """Set-points go out under remote control alone: without it each would leave an error in the queue."""
        wanted = self._wanted if self._remote else None
        if wanted is not None:
            current_a, values, message = wanted
            self.sending(np.array([current_a]))
            self._written = self._written[1], values
            link.write(message)
        told = page.measured(link.ask(page.MEASURE, page.ANSWERS))
        sampled_s = link.sampled_s
        self._remote = told.owner == page.REMOTE
        self._judge(link, told, asked=wanted is not None)
        return Reading(np.array(told.values), sampled_s)

    def lock(self, on: bool) -> None:  # noqa: FBT001  # the one thing it says
        """Take or give back remote control; raises `BenchError` that says who has it."""
        self._held = False  # until it is taken, or from now on
        self._tell(page.LOCK.put("on" if on else "off"))
        self._within(lambda: self._lock_is_not("REMOTE" if on else "NONE"))
        self._held = on

    def output(self, on: bool) -> None:  # noqa: FBT001  # the one thing it says
        """Switch the output and wait until it says so; raises `BenchError` with what the error queue tells."""
        word = "on" if on else "off"
        self._tell(page.OUTPUT.put(word))
        self._within(lambda: "" if self._output_is_on() is on else f"does not switch its output {word}")

    def prepare(self) -> None:
        """No current, full power limits, protections; needs the lock. The output stays as it is."""
        nominal_w = self.nominal_power()
        self.set_current(0.0)
        self._tell(page.SOURCE_POWER.put(nominal_w), page.SINK_POWER.put(nominal_w))
        volts, source_a, sink_a = self._protect
        self._tell(
            page.PROTECT_VOLTAGE.put(volts),
            page.PROTECT_CURRENT.put(source_a),
            page.PROTECT_SINK_CURRENT.put(sink_a),
        )
        self._within(self._protects_otherwise)
        self._within(lambda: self._power_is_not(nominal_w))

    def protections(self) -> page.Protections:
        """Where it switches itself off, read from the instrument."""
        return page.Protections(
            self._told(page.PROTECT_VOLTAGE), self._told(page.PROTECT_CURRENT), self._told(page.PROTECT_SINK_CURRENT)
        )

    def nominal_power(self) -> float:
        """W, read from the instrument."""
        return codec.number(self._ask(page.NOMINAL_POWER.ask())[0], "W")

    def read_mark(self) -> float:
        """The sink's power limit in W, which the guard's connection writes to prove that it is taken."""
        return self._told(page.SINK_POWER)

    def connections_ok(self, write: Callable[[bytes], object]) -> bool:
        """Whether the instrument takes what `write` sends on a second connection; restores the value after."""
        nominal_w, before_w = self.nominal_power(), self.read_mark()
        mark_w = next(nominal_w - less for less in (10.0, 20.0) if abs(nominal_w - less - before_w) > 1.0)
        write(page.mark(mark_w))
        try:
            self._within(lambda: self._mark_is_not(mark_w))
        except BenchError:
            return False
        finally:
            self._tell(page.SINK_POWER.put(nominal_w))
        return True

    def _told(self, quantity: Quantity) -> float:
        return quantity.read(self._ask(quantity.ask())[0])

    def _output_is_on(self) -> bool:
        return codec.word(self._ask(page.OUTPUT.ask())[0], ON_OFF)

    def _lock_is_not(self, wanted: str) -> str:
        owner = page.lock_owner(self._ask(page.LOCK_OWNER.ask())[0])
        return "" if owner == wanted else f"has its remote control at {owner}, not {wanted}"

    def _mark_is_not(self, mark_w: float) -> str:
        return "" if abs(self.read_mark() - mark_w) < 1.0 else "does not obey its second connection"

    def _protects_otherwise(self) -> str:
        told = self.protections()
        if np.allclose(told, self._protect, rtol=0.0, atol=RESOLUTION):
            return ""
        return f"protects at {_three(told)}, declared {_three(self._protect)}"

    def _power_is_not(self, nominal_w: float) -> str:
        source_w, sink_w = self._told(page.SOURCE_POWER), self._told(page.SINK_POWER)
        if max(abs(source_w - nominal_w), abs(sink_w - nominal_w)) < 1.0:
            return ""
        return f"is set to {source_w:g} W sourced, {sink_w:g} W sunk, not to its nominal {nominal_w:g} W"

    def _judge(self, link: Link, told: page.Told, *, asked: bool) -> None:
        """Note what the instrument does not take, once that has lasted longer than its delay."""
        if self._held and not self._remote:
            self._complaint = f"has its remote control at {told.owner}; release its panel and arm again"
        elif not asked or self._obeys(told.set_points):
            self._disobeyed, self._complaint = 0, ""
        else:
            self._disobeyed += 1
            if self._disobeyed == DISOBEYED:
                said = ", ".join(str(entry) for entry in codec.error_entries(link.ask(codec.message(self.next_error))))
                set_to = f"is set to {_three(told.set_points)} where {_three(self._written[1])} was asked"
                self._complaint = f"{set_to}; its error queue says: {said or 'nothing'}"

    def _obeys(self, told: tuple[float, ...]) -> bool:
        """Whether each value is the newest that was written, or the one before, which may still be in force."""
        return all(
            any(abs(value - written[place]) <= RESOLUTION for written in self._written)
            for place, value in enumerate(told)
        )


def _three(values: tuple[float, ...]) -> str:
    volts, source_a, sink_a = values
    return f"{volts:g} V, {source_a:g} A sourced, {sink_a:g} A sunk"
