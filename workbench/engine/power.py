"""The bench's own sequences to rest, in an order that never gives a live BMS open wires."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.errors import PulseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.engine.station import Station

OPEN_S: Final = 2.0


def take_down(station: Station) -> list[str]:
    """Current off, contactors open, device unpowered, cells off; sentences for what could not be verified."""
    trouble = make_safe(station)
    station.guard.disarm()  # what follows takes the cells below their limits on purpose
    _try(trouble, lambda: station.io_box.power(on=False))
    station.dut.heartbeat(on=False)
    _try(trouble, lambda: station.cells.outputs(on=False))
    _try(trouble, lambda: station.supply.lock(on=False))
    return trouble


def make_safe(station: Station) -> list[str]:
    """The declared safe sequence on the engine's own connections; sentences for what could not be verified."""
    trouble: list[str] = []
    station.supply.set_current(0.0)
    _try(trouble, lambda: station.supply.output(on=False))
    station.dut.request("open")
    if not station.wait_until(lambda: _is(station, "io/contactor", 0.0), OPEN_S):
        trouble.append("contactors are not verified open; use the hard-wired emergency stop")
    return trouble


def _is(station: Station, channel: str, value: float) -> bool:
    return station.read(channel) == value


def _try(trouble: list[str], act: Callable[[], None]) -> None:
    try:
        act()
    except PulseError as error:
        trouble.append(str(error))
