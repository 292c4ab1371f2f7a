"""What the arming checklist holds instead of the instruments: its wishes become the loop's command and pass the gate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drivers.snapshot import Command, Floats
    from workbench.engine.station import Station


class Service:
    """A command of its own in the loop for as long as the context lasts; starts from rest at what the twin shows."""

    def __init__(self, station: Station, rest: Command) -> None:
        self._station, self._rest = station, rest

    def __enter__(self) -> Service:
        self._station.loop.service = self._rest
        return self

    def __exit__(self, *_: object) -> None:
        self._station.loop.service = None

    @property
    def rest_v(self) -> Floats:
        """Cell voltages at rest."""
        return self._rest.cell_voltage_v

    def set_voltages(self, volts: Floats) -> None:
        self._want(cell_voltage_v=volts)

    def set_current(self, current_a: float) -> None:
        self._want(current_a=current_a)

    def _want(self, **changed: object) -> None:
        present = self._station.loop.service or self._rest
        self._station.loop.service = replace(present, **changed)  # pyright: ignore[reportArgumentType]  # named fields
