"""Driver of the cell simulator: set one voltage per channel, measure voltage and current of each."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from drivers import source_names
from drivers.channel_names import cell_current, cell_name, cell_voltage
from drivers.clock import monotonic
from drivers.errors import CommandUnknown, LinkError, LinkGarbage, LinkSilent, UnfitRating
from drivers.scpi import codec
from drivers.scpi import ngi_n83624 as page
from drivers.scpi.fault_relay import FaultRelay
from drivers.scpi.poller import PollReading
from drivers.scpi.source import AS_DECLARED, ScpiSource
from drivers.scpi.timeouts import CommandTimeouts
from drivers.snapshot import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drivers.scpi.declarations import Choice, Quantity
    from drivers.scpi.link import ScpiLink
    from drivers.snapshot import Floats

Flags: TypeAlias = npt.NDArray[np.bool_]

OFF_V: Final = 0.1  # an output that is off reads its own noise and offset
PATIENT_S: Final = 5.0  # for the first answer to a question; public drivers wait 4.5 s for 24 currents, unverified


def channels(cells: int) -> tuple[Channel, ...]:
    """Return what it measures: the voltage of each cell, then the current of each."""
    numbers, voltage, current = range(1, cells + 1), page.VOLTAGE, page.MEASURED_CURRENT
    return (
        *(Channel(cell_voltage(n), "V", -0.1, voltage.high) for n in numbers),
        *(Channel(cell_current(n), "A", current.low, current.high) for n in numbers),
    )


class CellSimulator(ScpiSource):
    """An NGI N83624 at `address`; cells count from 1."""

    identity_query = codec.message(page.IDENTITY.ask())
    kept: ClassVar[CommandTimeouts] = CommandTimeouts(identify=1.0, ask=0.5)
    most_units, longest = page.MOST_UNITS, page.LONGEST

    def __init__(
        self,
        address: str,
        expect: str,
        period_s: float,
        *,
        cells: int,
        protect_voltage_v: float,
        protect_current_a: float,
        discharge_reads: float = 1.0,
        timeouts_s: Mapping[str, float] = AS_DECLARED,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`discharge_reads`: 1.0 if its current reads positive while it feeds a load, -1.0 if negative."""
        measured = channels(cells)
        super().__init__(
            source_names.CELL_SIMULATOR, address, expect, period_s, measured, timeouts_s=timeouts_s, clock=clock
        )
        self._numbers = range(1, cells + 1)
        self._protect_voltage_v, self._protect_current_a = protect_voltage_v, protect_current_a
        self._discharge_reads = discharge_reads
        self._messages = page.ChannelCommands(cells)
        self._requested: Floats | None = None
        self.protection = ""  # which output its own protection has switched off since `outputs`; empty for none
        self._is_on = False
        self._live: set[int] = set()  # channels whose output has carried voltage since `outputs`
        self._relay = FaultRelay(self, cells)

    def set_voltages(self, volts: Floats) -> None:
        """Set `volts[cells]` for the next exchange; raise `BenchError` for NaN or a value out of range."""
        self._requested = self._messages.check(volts)

    def forget(self) -> None:
        self._requested = None

    def meet(self, link: ScpiLink) -> None:
        """Check that it answers one query for all channels in time; if it has no list for currents, use one query each.

        Raise `UnfitRating` or `CommandUnknown`.
        """
        self._messages = page.ChannelCommands(len(self._numbers))
        self._timely(link, [(self._messages.ask_voltages, 1)])
        try:
            self._timely(link, self._messages.ask_currents)
        except CommandUnknown:  # the guide shows a channel list for voltages only
            self._messages = page.ChannelCommands(len(self._numbers), listed_currents=False)
            self._timely(link, self._messages.ask_currents)
            self._note("does not support a channel list for currents: each current is queried separately")

    def exchange(self, link: ScpiLink) -> PollReading:
        if (requested := self._requested) is not None:
            self.sending(requested)
            for message in self._messages.set_voltages(self._relay.hold(requested)):
                link.write(message)
        volts, amperes = self._messages.parse_measured([link.ask(*query) for query in self._messages.measure])
        if self._is_on:
            self._find_protection(link, volts)
        return PollReading(np.array([*volts, *(self._discharge_reads * value for value in amperes)]), link.sampled_s)

    def _find_protection(self, link: ScpiLink, volts: Sequence[float]) -> None:
        """Ask an output that has fallen to 0 V why, once: the value that made its protection act is gone by then."""
        fallen = [n for n, value in zip(self._numbers, volts, strict=True) if value < OFF_V and n in self._live]
        self._live.update(n for n, value in zip(self._numbers, volts, strict=True) if value >= OFF_V)
        if not fallen or self.protection:
            return
        self._live.difference_update(fallen)
        with suppress(LinkError):  # a lost connection shows in the next exchange
            states = [codec.state(reply) for reply in self.get(link, [page.STATE.ask(n) for n in fallen])]
            words = ((n, page.protection_words(state)) for n, state in zip(fallen, states, strict=True))
            cell, said = next(((n, said) for n, said in words if said), (0, ""))
            if said:
                bounds = f"limits {self._protect_voltage_v:.3f} V, {self._protect_current_a:.3f} A"
                self.protection = f"{cell_name(cell)}: {said} of the cell simulator switched the output off ({bounds})"

    def prepare(self) -> None:
        """Set source mode, 10 ms sampling, current limits and protections, and read them back; leave the outputs.

        A protection of 0, as after a factory reset, may protect nothing or trip at once: none keeps that value.
        """
        volts, amperes = self._protect_voltage_v, self._protect_current_a
        for choice, meaning in ((page.MODE, "source"), (page.SAMPLING, "10 ms")):
            self._send(*(choice.put(meaning, n) for n in self._numbers))
            self._within(lambda choice=choice, meaning=meaning: self._not_chosen(choice, meaning))
        for quantity, value in (
            (page.CURRENT_LIMIT, min(amperes, page.CURRENT_LIMIT.high)),
            (page.PROTECT_VOLTAGE, volts),
            (page.PROTECT_CURRENT, amperes),
            (page.PROTECT_POWER, volts * amperes),
        ):
            self._send(*(quantity.put(value, n) for n in self._numbers))
            self._within(lambda quantity=quantity, value=value: self._not_set(quantity, value))

    def protections(self) -> tuple[Floats, Floats]:
        """Read the over-voltage (V) and over-current (A) thresholds of each channel from the instrument."""
        return self._send_checked(page.PROTECT_VOLTAGE), self._send_checked(page.PROTECT_CURRENT)

    def outputs(self, on: bool) -> None:  # noqa: FBT001  # the one thing it says
        """Switch every output and wait until each reads so; raise `BenchError` that names those that do not."""
        self._is_on = False
        self._send(*(page.SWITCH.put("on" if on else "off", n) for n in self._numbers))
        self._within(lambda: self._not_switched(on))
        self.protection, self._live, self._is_on = "", set(), on

    def outputs_state(self) -> Flags:
        """Read `on[cells]` from the instrument."""
        return np.array([bool(state & 1) for state in self.states()])

    def complaints(self) -> list[str]:
        """Read the errors in the instrument's state bits, a sentence per channel."""
        return self._raise_complaints(self.states())

    def fault_relay(self, cell: int, state: str) -> None:
        """Set one channel's fault relay: `normal`, `open_plus`, `open_minus`, `short` or `reversed`.

        The instrument requires source mode, output off and 0 V; the output returns to its state, unless shorted.
        Raise `BenchError` with the instrument's reason; the output then stays off.
        """
        self._relay.move(cell, state)

    def states(self) -> list[int]:
        """Read the state bits of each channel from the instrument."""
        return [codec.state(reply) for reply in self._ask(*(page.STATE.ask(n) for n in self._numbers))]

    def send(self, *units: str) -> None:
        """Write `units`, in as many messages as needed."""
        self._send(*units)

    def ask(self, unit: str) -> bytes:
        """Send one query and return its reply."""
        return self._ask(unit)[0]

    def within(self, wrong: Callable[[], str]) -> None:
        """Wait until `wrong` returns nothing; raise `BenchError` with what it still returns at the time-out."""
        self._within(wrong)

    def _timely(self, link: ScpiLink, messages: list[tuple[bytes, int]]) -> None:
        """Check that each query is answered within the read time-out of an exchange.

        Raise `UnfitRating` or `CommandUnknown`.
        """
        for message, count in messages:
            began_s = monotonic()
            try:
                link.ask(message, count, self.timeouts.read)
            except (LinkSilent, LinkGarbage) as error:
                lines: list[bytes] = []
                if not link.find_step(self.identity_query, lambda line, lines=lines: not lines.append(line), PATIENT_S):
                    raise
                if self._is_identity(lines[0]):
                    raise self._unanswered(link, message, LinkSilent("")) from error
                raise self._slow(link, message, monotonic() - began_s) from error

    def _slow(self, link: ScpiLink, message: bytes, took_s: float) -> UnfitRating:
        question = message.decode("ascii").strip().split("(")[0]
        return UnfitRating(
            f"answers {question} of {len(self._numbers)} channels after {took_s:.1f} s, later than its time-out of "
            f"{1e3 * self.timeouts.read:.0f} ms",
            where=link.address,
            value=took_s,
            bound=self.timeouts.read,
            hint="the loop needs its values sooner: choose its fast sampling and firmware, or raise timeouts_ms.read, "
            "period_ms and the ages of [gate]",
        )

    def _send_checked(self, quantity: Quantity) -> Floats:
        return np.array([quantity.read(reply) for reply in self._ask(*(quantity.ask(n) for n in self._numbers))])

    def _not_chosen(self, choice: Choice, meaning: str) -> str:
        replies = self._ask(*(choice.ask(n) for n in self._numbers))
        expected = float(choice.words[meaning])
        wrong = [n for n, reply in zip(self._numbers, replies, strict=True) if codec.number(reply) != expected]
        return f"does not accept {choice.put(meaning, wrong[0])} for cell {_listed(wrong)}" if wrong else ""

    def _not_set(self, quantity: Quantity, value: float) -> str:
        reads = [quantity.read_back(reply) for reply in self._ask(*(quantity.ask(n) for n in self._numbers))]
        step = 0.51 * 10.0**-quantity.digits / quantity.per_si
        wrong = [
            n for n, read in zip(self._numbers, reads, strict=True) if abs(read.value - value) > step + read.half_step
        ]
        if not wrong:
            return ""
        read = reads[wrong[0] - 1].value
        detail = f"is set to {read:g} {quantity.unit}, requested {value:g} {quantity.unit}"
        return f"does not accept {quantity.put(value, wrong[0])} for cell {_listed(wrong)}: it {detail}"

    def _not_switched(self, on: bool) -> str:  # noqa: FBT001  # what was asked
        wrong = (np.flatnonzero(self.outputs_state() != on) + 1).tolist()
        return f"does not switch {'on' if on else 'off'} cell {_listed(wrong)}" if wrong else ""

    def _raise_complaints(self, states: list[int]) -> list[str]:
        texts = [page.state_words(state) for state in states]
        return [f"cell {n}: {text}" for n, text in zip(self._numbers, texts, strict=True) if text]

    def _reason(self, link: ScpiLink) -> str:
        """Return its state bits in words: it has no error queue, and does not reply to an unknown command."""
        states = [codec.state(reply) for reply in self.get(link, [page.STATE.ask(n) for n in self._numbers])]
        return "; ".join(self._raise_complaints(states)) or "its state bits report no error, and it has no error queue"


def _listed(cells: list[int]) -> str:
    return ", ".join(map(str, cells))
