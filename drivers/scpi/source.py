"""A polled instrument as a `Source`: newest values with their time and what is known of them."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from drivers.errors import BenchError, CommandUnknown, LinkError, LinkGarbage, LinkSilent, WrongModel
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
AS_DECLARED: Final[Mapping[str, float]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SentSetpoint:
    """The newest set-points `values[n]` in SI that an instrument was sent, and when it was first sent them."""

    values: Floats
    at_s: float


class PolledSource(ABC):
    """Base of the instruments: subclasses say what is exchanged and offer the services.

    A value older than three periods is STALE while the instrument answers and MISSING (NaN) when it does not;
    `sampled_s` goes on telling when it was last known, NaN for never.
    """

    identity_query: bytes
    kept: ClassVar[CommandTimeouts] = CommandTimeouts()  # time-outs that the driver declares for its instrument
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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`timeouts_s`: what a bench file declares instead of the driver, by the names of `CommandTimeouts`."""
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
        """End the connection; leaves the instrument as it is."""
        self.poller.close()

    def health(self) -> Health:
        return self.poller.health

    @property
    def connections(self) -> int:
        """How often the instrument was met; a step up means that `prepare` has to be asked for again."""
        return self.poller.connections

    @property
    def peer(self) -> str:
        """The numeric address at which the instrument was met last; empty before that."""
        return self.poller.peer

    def news(self) -> list[Event]:
        """What was changed at the instrument, each told once."""
        return [self._news.popleft() for _ in range(len(self._news))]

    def _note(self, text: str) -> None:
        """Keep an event for `news`; on any thread."""
        self._news.append(Event(Level.INFO, self.name, text))

    def identity(self) -> str:
        """The reply to the identity query, asked now."""
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
        believable = (self._low <= reading.values) & (reading.values <= self._high)
        quality[:] = np.where(believable, Quality.STALE if old else Quality.GOOD, Quality.IMPLAUSIBLE)

    def greet(self, link: ScpiLink) -> None:
        """Meet whoever answers; raises `WrongModel`, or what `meet` raises. Energises nothing."""
        told = self._identity(link)
        if not has_model(told, self._expect):
            raise WrongModel(
                f"answers as {told}",
                where=link.address,
                value=told,
                bound=self._expect,
                hint=f"{self._expect} was expected; check the address",
            )
        self.meet(link)

    def meet(self, link: ScpiLink) -> None:
        """What has to be known of the right model before the first exchange; raises `LinkError`."""
        del link

    def asked(self, link: ScpiLink, message: bytes, count: int = 1, timeout_s: float | None = None) -> bytes:
        """The reply of `count` queries.

        Raises `LinkSilent` where nothing is answered any more, `CommandUnknown` or `LinkRefused` where only
        this is not.
        """
        try:
            return link.ask(message, count, self.timeouts.ask if timeout_s is None else timeout_s)
        except (LinkSilent, LinkGarbage) as error:
            if not self._in_step(link):
                raise
            raise self._unanswered(link, message, error) from error

    def _in_step(self, link: ScpiLink) -> bool:
        """Whether the next reply will be that of the next question, found out by asking who it is."""
        return link.find_step(self.identity_query, self._is_identity, self.timeouts.identify)

    def _is_identity(self, line: bytes) -> bool:
        return has_model(line.decode("ascii", "replace"), self._expect)

    def _unanswered(self, link: ScpiLink, message: bytes, error: LinkError) -> LinkError:
        """What is wrong with a question that an answering instrument leaves open."""
        if isinstance(error, LinkGarbage):
            return error
        question = message.decode("ascii", "replace").strip()
        return CommandUnknown(
            f"does not know {shorten(question)}: no answer within {1e3 * self.timeouts.ask:.0f} ms, though it "
            "answers *IDN?",
            where=link.address,
            value=question,
            hint="compare its firmware with the programming guide",
        )

    def sending(self, values: Floats) -> None:
        """Note what is about to be written; the time counts from the first writing of the same values."""
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
        """Ask again until nothing is `wrong`, because instruments obey after a varying delay; raises `BenchError`."""
        until_s = time.monotonic() + self.timeouts.obey
        while complaint := wrong():
            if time.monotonic() > until_s:
                raise BenchError(f"{complaint} after {self.timeouts.obey:g} s", where=self.name, hint=self._why())
            time.sleep(ASK_AGAIN_S)

    def _why(self) -> str:
        """What the instrument itself says of a failure. Never raises: a diagnosis replaces no reason."""
        try:
            return self.poller.call(self.diagnosed)
        except BenchError as error:
            return f"why could not be asked: {error.sentence}"

    def diagnosed(self, link: ScpiLink) -> str:
        """As `_why`, on the poller's thread. Leaves the connection standing for the safe action that follows."""
        try:
            return self._reason(link)
        except LinkError as error:
            return f"why could not be asked: {error.sentence}"

    def _reason(self, link: ScpiLink) -> str:
        """What the instrument says of its own state; raises `LinkError`."""
        del link
        return "check its panel"


class ScpiSource(PolledSource):
    """Commands and questions within what one message may hold."""

    most_units: ClassVar[int]
    longest: ClassVar[int]  # bytes of a message, its line end included

    def _send(self, *units: str) -> None:
        self.poller.call(lambda link: self.put(link, units))

    def put(self, link: ScpiLink, units: Sequence[str]) -> None:
        """Write `units`; on the poller's thread."""
        for message, _ in codec.messages(units, self.most_units, self.longest):
            link.write(message)

    def _ask(self, *units: str) -> list[bytes]:
        """One reply per unit."""
        return self.poller.call(lambda link: self.get(link, units))

    def get(self, link: ScpiLink, units: Sequence[str]) -> list[bytes]:
        """One reply per unit; on the poller's thread. Raises `LinkError`."""
        replies: list[bytes] = []
        for message, count in codec.messages(units, self.most_units, self.longest):
            replies += codec.units(self.asked(link, message, count), count)
        return replies


def shorten(text: str, longest: int = 60) -> str:
    """The beginning of a long message, which says enough."""
    return text if len(text) <= longest else f"{text[:longest]}..."
