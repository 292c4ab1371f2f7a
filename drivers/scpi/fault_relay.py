"""Switch the fault relay of a channel of the cell simulator as its guide prescribes (S 6.10), and read it back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from drivers.errors import BenchError, CommandUnknown
from drivers.scpi import codec
from drivers.scpi import ngi_n83624 as page

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.snapshot import Floats

AT_REST_V: Final = 0.02
SAMPLED_AFRESH_S: Final = 0.03


class RelayInstrument(Protocol):
    """The driver that the relay belongs to."""

    @property
    def name(self) -> str: ...

    def states(self) -> list[int]: ...

    def send(self, *units: str) -> None: ...

    def ask(self, unit: str) -> bytes: ...

    def within(self, wrong: Callable[[], str]) -> None: ...


class FaultRelay:
    """Output off, wait for 0 V, switch, read back, output on; a switching or shorted channel is held at 0 V."""

    def __init__(self, channels: RelayInstrument, cells: int) -> None:
        self._channels = channels
        self._shorted = np.zeros(cells, dtype=np.bool_)

    def hold(self, volts: Floats) -> Floats:
        """Return `volts[cells]` with 0 V for channels whose relay switches or shorts."""
        return np.where(self._shorted, 0.0, volts)

    def move(self, cell: int, state: str) -> None:
        """Switch the relay to `state`; raise `BenchError` with the instrument's reason, the output then stays off."""
        channels, command = self._channels, page.FAULT_RELAY.put(state, cell)
        was_on, was_shorted, moved = bool(channels.states()[cell - 1] & 1), bool(self._shorted[cell - 1]), False
        self._shorted[cell - 1] = True
        try:
            channels.send(page.SWITCH.put("off", cell), page.VOLTAGE.put(0.0, cell))
            time.sleep(SAMPLED_AFRESH_S)  # an earlier sample could read 0 V by chance
            channels.within(lambda: self._still_live(cell))
            channels.send(command)
            if (bits := channels.states()[cell - 1]) & page.RELAY_REFUSED:
                raise BenchError(f"refused {state} of cell {cell}: {page.state_words(bits)}", where=channels.name)
            channels.within(lambda: self._not_there(cell, state))
            moved = True
        finally:
            self._shorted[cell - 1] = state == "short" if moved else was_shorted
        if was_on and state != "short":
            channels.send(page.SWITCH.put("on", cell))
            channels.within(lambda: "" if channels.states()[cell - 1] & 1 else f"does not switch on cell {cell}")

    def _still_live(self, cell: int) -> str:
        volts = codec.number(self._channels.ask(page.MEASURED_VOLTAGE.ask(cell)))
        return f"keeps {volts:g} V on cell {cell}" if abs(volts) >= AT_REST_V else ""

    def _not_there(self, cell: int, state: str) -> str:
        """Return text if the relay reads another state; the hint for silence is that the option may be missing."""
        try:
            received = self._channels.ask(page.FAULT_RELAY.ask(cell)).strip().decode("ascii", "replace")
        except CommandUnknown as error:
            error.hint = "check that its fault relay option is fitted"
            raise
        meanings = {word: meaning for meaning, word in page.FAULT_RELAY.words.items()}
        return (
            ""
            if meanings.get(received) == state
            else f"reports the fault relay of cell {cell} as {meanings.get(received, received)}"
        )
