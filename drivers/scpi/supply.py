"""The bidirectional supply that drives the pack current through the series loop."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.errors import BenchError
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

CHANNELS: Final = (
    Channel("supply/output", "1", 0.0, 1.0),
    Channel("supply/voltage", "V", -1.0, page.PROTECT_VOLTAGE.high),
    Channel("supply/current", "A", -page.PROTECT_CURRENT.high, page.PROTECT_CURRENT.high),
    Channel("supply/power", "W", -page.SOURCE_POWER.high, page.SOURCE_POWER.high),
)


class Supply(ScpiSource):
    """An EA PSB 10000 at `address`; `charge_v` sources into the loop, `discharge_v` sinks from it."""

    identity_query = codec.message(page.IDENTITY.ask())
    next_error = page.NEXT_ERROR.ask()
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
        self._protect_voltage_v, self._protect_current_a = protect_voltage_v, protect_current_a
        self._charge_v, self._discharge_v = charge_v, discharge_v
        self._wanted: bytes | None = None

    def set_current(self, current_a: float) -> None:
        """Hand over the loop current (A, discharge positive) for the next exchange; raises `BenchError` for NaN."""
        if not math.isfinite(current_a):
            raise BenchError(f"current {current_a} A is no set-point", where=self.name, value=current_a)
        voltage_v = self._charge_v if current_a < 0.0 else self._discharge_v
        self._wanted = page.set_points(voltage_v, max(0.0, -current_a), max(0.0, current_a))

    def forget(self) -> None:
        self._wanted = None

    def exchange(self, link: Link) -> Reading:
        if (wanted := self._wanted) is not None:
            link.write(wanted)
        return Reading(np.array(page.measured(link.ask(page.MEASURE, 2))), link.sampled_s)

    def lock(self, on: bool) -> None:  # noqa: FBT001  # the one thing it says
        """Take or give back remote control; raises `BenchError` that says who has it."""
        self._tell(page.LOCK.put("on" if on else "off"))
        owner = b"REMOTE" if on else b"NONE"
        wrong = f"remote control does not become {owner.decode()}"
        self._within(lambda: self._ask(page.LOCK_OWNER.ask())[0].strip() == owner, wrong)

    def output(self, on: bool) -> None:  # noqa: FBT001  # the one thing it says
        """Switch the output and wait until it says so; raises `BenchError` with what the error queue tells."""
        self._tell(page.OUTPUT.put("on" if on else "off"))
        wrong = f"output does not switch {'on' if on else 'off'}"
        self._within(lambda: codec.word(self._ask(page.OUTPUT.ask())[0], ON_OFF) is on, wrong)

    def prepare(self) -> None:
        """No current, full power limits, protections; needs the lock. The output stays as it is."""
        nominal_w = self.nominal_power()
        self.set_current(0.0)
        self._tell(page.SOURCE_POWER.put(nominal_w), page.SINK_POWER.put(nominal_w))
        self._tell(page.PROTECT_VOLTAGE.put(self._protect_voltage_v), page.PROTECT_CURRENT.put(self._protect_current_a))
        self._within(
            lambda: np.allclose(self.protections(), (self._protect_voltage_v, self._protect_current_a), atol=0.02),
            "protections read back differently",
        )

    def protections(self) -> tuple[float, float]:
        """Over-voltage (V) and over-current (A) thresholds, read from the instrument."""
        return self._told(page.PROTECT_VOLTAGE), self._told(page.PROTECT_CURRENT)

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
            self._within(lambda: abs(self.read_mark() - mark_w) < 1.0, "does not obey its second connection")
        except BenchError:
            return False
        finally:
            self._tell(page.SINK_POWER.put(nominal_w))
        return True

    def _told(self, quantity: Quantity) -> float:
        return quantity.read(self._ask(quantity.ask())[0])
