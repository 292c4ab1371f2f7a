"""A polled instrument as a `Source`: newest values with their sample time and quality."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from drivers.clock import monotonic
from drivers.errors import BenchError, CommandUnknown, LinkDropped, LinkError, LinkGarbage, LinkSilent, WrongModel
from drivers.event import Event, Level
from drivers.identity import has_model
from drivers.ports import Health, LinkState
from drivers.scpi import codec
from drivers.scpi.poller import Poller, PollReading
from drivers.scpi.timeouts import CommandTimeouts
from drivers.snapshot import Quality

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drivers.scpi.link import ScpiLink
    from drivers.snapshot import Bytes, Channel, Floats

STALE_PERIODS: Final = 3.0
ASK_AGAIN_S: Final = 0.02
ONE_CLIENT: Final = "check power and cable, and that no other program is connected: it may accept only one client"
AS_DECLARED: Final[Mapping[str, float]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SentSetpoint:
    """The newest set-points `values[n]` in SI sent to an instrument, and when they were first sent."""

    values: Floats
    at_s: float


class PolledSource(ABC):
    """Base of the instruments: subclasses define the exchange and the services.

    A value older than three periods is STALE while the instrument answers and MISSING (NaN) if it does not;
    `sampled_s` keeps the time of the last value, NaN for none.
    """

    identity_query: bytes
    kept: ClassVar[CommandTimeouts] = CommandTimeouts()  # time-outs that the driver declares for its instrument
    unanswered: ClassVar[str] = ONE_CLIENT  # the hint for one that is silent, or closes, at its first exchange
    gap_s = 0.0

    def __init__(
        self,
        name: str,
        address: str,
        expect: str,
        period_s: float,
        channels: tuple[Channel, ...],
        *,
        timeouts_s: Mapping[str, float] = AS_DECLARED,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`timeouts_s`: values of the bench file that replace the driver's, by the names of `CommandTimeouts`."""
        self.sent: SentSetpoint | None = None
        self.name: Final = name
        self.channels: Final = channels
        self._expect, self._period_s, self._clock = expect, period_s, clock
        self._low = np.array([channel.low for channel in channels])
        self._high = np.array([channel.high for channel in channels])
        self._news: deque[Event] = deque()
        self.timeouts: Final = self.kept.from_bench(timeouts_s)
        self.poller: Final = Poller(name, address, self, period_s, timeouts=self.timeouts, gap_s=self.gap_s)

    def start(self) -> None:
        self.poller.start()

    def close(self) -> None:
        """End the connection; leave the instrument as it is."""
        self.poller.close()

    def health(self) -> Health:
        return self.poller.health

    @property
    def connections(self) -> int:
        """How often the instrument was connected; after an increase `prepare` must be called again."""
        return self.poller.connections

    @property
    def peer(self) -> str:
        """The numeric address of the instrument's last connection; empty before the first."""
        return self.poller.peer

    def news(self) -> list[Event]:
        """Return the events of changes at the instrument, each one once."""
        return [self._news.popleft() for _ in range(len(self._news))]

    def _note(self, text: str) -> None:
        """Keep an event for `news`; any thread may call it."""
        self._news.append(Event(Level.INFO, self.name, text))

    def identity(self) -> str:
        """Send the identity query now and return its reply."""
        return self.poller.call(self._identity)

    def read(self, values: Floats, sampled_s: Floats, quality: Bytes) -> None:
        reading, answering = self.poller.reading, self.health().state is LinkState.OK
        old = reading is None or not self._clock() - reading.sampled_s <= STALE_PERIODS * self._period_s
        if reading is None or (old and not answering):
            values[:] = math.nan
            sampled_s[:] = math.nan if reading is None else reading.sampled_s
            quality[:] = Quality.MISSING
            return
        values[:] = reading.values
        sampled_s[:] = reading.sampled_s
        plausible = (self._low <= reading.values) & (reading.values <= self._high)
        quality[:] = np.where(plausible, Quality.STALE if old else Quality.GOOD, Quality.IMPLAUSIBLE)

    def greet(self, link: ScpiLink) -> None:
        """Check the identity, then call `meet`; raise `WrongModel`, or what `meet` raises. Energise nothing."""
        try:
            self._greet(link)
        except (LinkSilent, LinkDropped) as error:
            error.hint = self.unanswered
            raise

    def _greet(self, link: ScpiLink) -> None:
        identity = self._identity(link)
        if not has_model(identity, self._expect):
            raise WrongModel(
                f"answers as {identity}",
                where=link.address,
                value=identity,
                bound=self._expect,
                hint=f"expected {self._expect}; check the address",
            )
        self.meet(link)

    def meet(self, link: ScpiLink) -> None:
        """Read what the first exchange with the right model needs; raise `LinkError`."""
        del link

    def asked(self, link: ScpiLink, message: bytes, count: int = 1, timeout_s: float | None = None) -> bytes:
        """Send `count` queries and return their reply.

        Raise `LinkSilent` if the instrument answers nothing any more, `CommandUnknown` or `LinkRefused` if it does not
        answer only this.
        """
        try:
            return link.ask(message, count, self.timeouts.ask if timeout_s is None else timeout_s)
        except (LinkSilent, LinkGarbage) as error:
            if not self._in_step(link):
                raise
            raise self._unanswered(link, message, error) from error

    def _in_step(self, link: ScpiLink) -> bool:
        """Return whether the next reply will be that of the next query; find out by the identity query."""
        return link.find_step(self.identity_query, self._is_identity, self.timeouts.identify)

    def _is_identity(self, line: bytes) -> bool:
        return has_model(line.decode("ascii", "replace"), self._expect)

    def _unanswered(self, link: ScpiLink, message: bytes, error: LinkError) -> LinkError:
        """Return the error for a query to which an otherwise answering instrument does not reply."""
        if isinstance(error, LinkGarbage):
            return error
        question = message.decode("ascii", "replace").strip()
        return CommandUnknown(
            f"does not support {shorten(question)}: no answer within {1e3 * self.timeouts.ask:.0f} ms, though it "
            "answers *IDN?",
            where=link.address,
            value=question,
            hint="compare its firmware with the programming guide",
        )

    def sending(self, values: Floats) -> None:
        """Note the values that are about to be sent; the time is that of the first sending of the same values."""
        if self.sent is None or not np.array_equal(self.sent.values, values):
            self.sent = SentSetpoint(values.copy(), self._clock())

    @abstractmethod
    def exchange(self, link: ScpiLink) -> PollReading: ...

    @abstractmethod
    def forget(self) -> None: ...

    def _identity(self, link: ScpiLink) -> str:
        reply = link.ask(self.identity_query, 1, self.timeouts.identify)
        codec.identity(reply)
        return reply.decode("ascii", "replace").strip()

    def _within(self, wrong: Callable[[], str]) -> None:
        """Repeat until `wrong` returns nothing, because instruments react with a varying delay; raise `BenchError`."""
        until_s = monotonic() + self.timeouts.obey
        while complaint := wrong():
            if monotonic() > until_s:
                raise BenchError(f"{complaint} after {self.timeouts.obey:g} s", where=self.name, hint=self._why())
            time.sleep(ASK_AGAIN_S)

    def _why(self) -> str:
        """Return the instrument's own reason of a failure. Never raise: a diagnosis must not replace the failure."""
        try:
            return self.poller.call(self.diagnosed)
        except BenchError as error:
            return f"its reason could not be read: {error.sentence}"

    def diagnosed(self, link: ScpiLink) -> str:
        """Return the same as `_why`, on the poller's thread. Keep the connection for the safe action that follows."""
        try:
            return self._reason(link)
        except LinkError as error:
            return f"its reason could not be read: {error.sentence}"

    def _reason(self, link: ScpiLink) -> str:
        """Read what the instrument reports of its state; raise `LinkError`."""
        del link
        return "check its panel"


class ScpiSource(PolledSource):
    """A polled instrument with limits on units and bytes per message."""

    most_units: ClassVar[int]
    longest: ClassVar[int]  # bytes of a message, including its line end

    def _send(self, *units: str) -> None:
        self.poller.call(lambda link: self.put(link, units))

    def put(self, link: ScpiLink, units: Sequence[str]) -> None:
        """Send `units`, on the poller's thread."""
        for message, _ in codec.messages(units, self.most_units, self.longest):
            link.write(message)

    def _ask(self, *units: str) -> list[bytes]:
        """Send the queries and return one reply per unit."""
        return self.poller.call(lambda link: self.get(link, units))

    def get(self, link: ScpiLink, units: Sequence[str]) -> list[bytes]:
        """Send the queries and return one reply per unit, on the poller's thread; raise `LinkError`."""
        replies: list[bytes] = []
        for message, count in codec.messages(units, self.most_units, self.longest):
            replies += codec.units(self.asked(link, message, count), count)
        return replies


def shorten(text: str, longest: int = 60) -> str:
    """Return the beginning of a long message, which is enough to identify it."""
    return text if len(text) <= longest else f"{text[:longest]}..."
