"""The cell simulator: one voltage per channel out, voltage and current of each back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from drivers.errors import BenchError
from drivers.scpi import codec
from drivers.scpi import ngi_n83624 as page
from drivers.scpi.poller import Reading
from drivers.scpi.source import ScpiSource
from drivers.snapshot import Channel

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.scpi.declare import Quantity
    from drivers.scpi.link import Link
    from drivers.snapshot import Floats

Flags: TypeAlias = npt.NDArray[np.bool_]

AT_REST_V: Final = 0.02
SAMPLED_AFRESH_S: Final = 0.03


class CellSimulator(ScpiSource):
    """An NGI N83624 at `address`; cells count from 1."""

    identity_query = codec.message(page.IDENTITY.ask())
    next_error = page.NEXT_ERROR.ask()

    def __init__(
        self,
        address: str,
        expect: str,
        period_s: float,
        *,
        cells: int,
        protect_voltage_v: float,
        protect_current_a: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        numbers = range(1, cells + 1)
        voltage, current = page.VOLTAGE, page.MEASURED_CURRENT
        channels = (
            *(Channel(f"cell_{n:02d}/voltage", "V", -0.1, voltage.high) for n in numbers),
            *(Channel(f"cell_{n:02d}/current", "A", current.low, current.high) for n in numbers),
        )
        super().__init__("cell_simulator", address, expect, period_s, channels, clock=clock)
        self._numbers = numbers
        self._protect_voltage_v, self._protect_current_a = protect_voltage_v, protect_current_a
        self._messages = page.Channels(cells)
        self._wanted: Floats | None = None
        self._shorted = np.zeros(cells, dtype=np.bool_)  # held at 0 V while the fault relay moves or shorts

    def set_voltages(self, volts: Floats) -> None:
        """Hand over `volts[cells]` for the next exchange; raises `BenchError` for NaN or out of range."""
        self._wanted = self._messages.checked(volts)

    def forget(self) -> None:
        self._wanted = None

    def exchange(self, link: Link) -> Reading:
        if (wanted := self._wanted) is not None:
            self.sending(wanted)
            link.write(self._messages.set_voltages(np.where(self._shorted, 0.0, wanted)))
        volts, amperes = self._messages.measured(link.ask(self._messages.measure, 2))
        return Reading(np.array(volts + amperes), link.sampled_s)

    def prepare(self) -> None:
        """Source mode, 10 ms sampling, current limits and protections; the outputs stay as they are."""
        numbers, volts, amperes = self._numbers, self._protect_voltage_v, self._protect_current_a
        limit_a = min(amperes, page.CURRENT_LIMIT.high)
        for units in (
            [page.MODE.put("source", n) for n in numbers],
            [page.SAMPLING.put("10 ms", n) for n in numbers],
            [page.CURRENT_LIMIT.put(limit_a, n) for n in numbers],
            [page.PROTECT_VOLTAGE.put(volts, n) for n in numbers],
            [page.PROTECT_CURRENT.put(amperes, n) for n in numbers],
        ):
            self._tell(*units)

    def protections(self) -> tuple[Floats, Floats]:
        """Over-voltage (V) and over-current (A) thresholds of each channel, read from the instrument."""
        return self._told(page.PROTECT_VOLTAGE), self._told(page.PROTECT_CURRENT)

    def outputs(self, on: bool) -> None:  # noqa: FBT001  # the one thing it says
        """Switch every output and wait until each says so; raises `BenchError` that names those that do not."""
        self._tell(*(page.SWITCH.put("on" if on else "off", n) for n in self._numbers))
        self._within(lambda: self._not_switched(on))

    def outputs_state(self) -> Flags:
        """`on[cells]`, read from the instrument."""
        return np.array([bool(state & 1) for state in self._states()])

    def complaints(self) -> list[str]:
        """What the instrument's state bits complain of, a sentence per channel."""
        words = [page.state_words(state) for state in self._states()]
        return [f"cell {n}: {said}" for n, said in zip(self._numbers, words, strict=True) if said]

    def fault_relay(self, cell: int, state: str) -> None:
        """Set one channel's fault relay: `normal`, `open_plus`, `open_minus`, `short` or `reversed`.

        The instrument demands source mode, output off and 0 V; the output returns as it was, unless shorted.
        Raises `BenchError` with the instrument's reason; the output then stays off.
        """
        asked, was_on = page.FAULT_RELAY.put(state, cell), bool(self.outputs_state()[cell - 1])
        was_shorted, moved = bool(self._shorted[cell - 1]), False
        self._shorted[cell - 1] = True
        try:
            self._tell(page.SWITCH.put("off", cell), page.VOLTAGE.put(0.0, cell))
            time.sleep(SAMPLED_AFRESH_S)  # a sample from before could read 0 V by chance
            self._within(lambda: self._still_live(cell))
            self._tell(asked)
            if (bits := self._states()[cell - 1]) & page.RELAY_REFUSED:
                raise BenchError(f"refused {state} of cell {cell}: {page.state_words(bits)}", where=self.name)
            moved = True
        finally:
            self._shorted[cell - 1] = state == "short" if moved else was_shorted
        if was_on and state != "short":
            self._tell(page.SWITCH.put("on", cell))

    def _told(self, quantity: Quantity) -> Floats:
        return np.array([quantity.read(reply) for reply in self._ask(*(quantity.ask(n) for n in self._numbers))])

    def _states(self) -> list[int]:
        return [codec.state(reply) for reply in self._ask(*(page.STATE.ask(n) for n in self._numbers))]

    def _not_switched(self, on: bool) -> str:  # noqa: FBT001  # what was asked
        wrong = np.flatnonzero(self.outputs_state() != on) + 1
        return f"does not switch {'on' if on else 'off'} cell {', '.join(map(str, wrong))}" if wrong.size else ""

    def _still_live(self, cell: int) -> str:
        volts = codec.number(self._ask(page.MEASURED_VOLTAGE.ask(cell))[0])
        return f"keeps {volts:g} V on cell {cell}" if abs(volts) >= AT_REST_V else ""

    def _reason(self) -> str:
        return "; ".join((*self.complaints(), super()._reason()))
