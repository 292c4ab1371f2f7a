"""Driver of the I/O box: set temperatures and power of the device under test, read contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from drivers import source_names
from drivers.channel_names import BMS_POWER, CONTACTOR, CONTACTOR_AGE, ESTOP, thermistor
from drivers.clock import monotonic
from drivers.scpi import codec
from drivers.scpi import pulse_io as page
from drivers.scpi.poller import PollReading
from drivers.scpi.source import AS_DECLARED, PolledSource
from drivers.snapshot import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.scpi.link import ScpiLink
    from drivers.snapshot import Floats


def channels(thermistors: int) -> tuple[Channel, ...]:
    """Return what it measures: contacts, the age of the contactor's last edge, the value of each thermistor output."""
    flags = (Channel(name, "1", 0.0, 1.0) for name in (ESTOP, CONTACTOR, BMS_POWER))
    edge = Channel(CONTACTOR_AGE, "s", 0.0, 1e9)
    numbers = range(1, thermistors + 1)
    return (*flags, edge, *(Channel(thermistor(n), "K", page.COLDEST_K, page.HOTTEST_K) for n in numbers))


class IoBox(PolledSource):
    """An IO-8 at `address` with `thermistors` outputs."""

    identity_query = codec.message(page.IDENTITY.ask())

    def __init__(
        self,
        address: str,
        expect: str,
        period_s: float,
        *,
        thermistors: int,
        timeouts_s: Mapping[str, float] = AS_DECLARED,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        measured = channels(thermistors)
        super().__init__(source_names.IO_BOX, address, expect, period_s, measured, timeouts_s=timeouts_s, clock=clock)
        self._thermistors = thermistors
        self._requested: tuple[Floats, bytes] | None = None

    def set_temperatures(self, kelvin: Floats) -> None:
        """Set `kelvin[thermistors]` for the next exchange; raise `BenchError` for NaN or a value out of range."""
        self._requested = kelvin, page.set_temperatures(kelvin, self._thermistors)

    def power(self, on: bool) -> None:  # noqa: FBT001  # the one thing it says
        """Switch the power of the device under test and wait until the box reports it; raise `BenchError`."""
        self.poller.call(lambda link: page.check_acknowledged(link.ask(page.set_power(on))))
        self._within(lambda: "" if self._powered() is on else f"power is not {'on' if on else 'off'}")

    def hold_auxiliary(self, state: str) -> None:
        """Connect the contactor's auxiliary contact to the device (`through`), or hold its wire `open` or `closed`."""
        self.poller.call(lambda link: page.check_acknowledged(link.ask(page.hold_auxiliary(state))))

    def forget(self) -> None:
        self._requested = None

    def exchange(self, link: ScpiLink) -> PollReading:
        if (requested := self._requested) is not None:
            requested_k, message = requested
            self.sending(requested_k)
            page.check_acknowledged(link.ask(message))
        kelvin = page.temperatures(link.ask(codec.message(page.THERMISTORS.ask())), self._thermistors)
        flags = page.inputs(link.ask(codec.message(page.INPUTS.ask())))
        edge_s = page.since_edge_s(link.ask(codec.message(page.EDGE.ask())))
        return PollReading(np.concatenate((flags, (edge_s,), kelvin)), link.sampled_s)

    def _powered(self) -> bool:
        reply = self.poller.call(lambda link: link.ask(codec.message(page.INPUTS.ask())))
        return page.inputs(reply)[2] == 1.0
