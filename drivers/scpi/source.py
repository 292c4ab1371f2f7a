"""A polled instrument as a `Source`: newest values with their time and what is known of them."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.errors import BenchError, WrongModel
from drivers.ports import Health, LinkState
from drivers.scpi import codec
from drivers.scpi.poller import Poller, Reading
from drivers.snapshot import Quality

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.scpi.link import Link
    from drivers.snapshot import Bytes, Channel, Floats

STALE_PERIODS: Final = 3.0
SETTLE_S: Final = 1.0
ASK_AGAIN_S: Final = 0.02
LONGEST_QUEUE: Final = 64


@dataclass(frozen=True, slots=True)
class Sent:
    """The newest set-points `values[n]` in SI that an instrument was sent, and when it was first sent them."""

    values: Floats
    at_s: float


class PolledSource(ABC):
    """Base of the instruments: subclasses say what is exchanged and offer the services.

    A value older than three periods is STALE while the instrument answers and MISSING (NaN) when it does not;
    `sampled_s` goes on telling when it was last known, NaN for never.
    """

    identity_query: bytes
    timeout_s = 0.25
    gap_s = 0.0

    def __init__(
        self,
        name: str,
        address: str,
        expect: str,
        period_s: float,
        channels: tuple[Channel, ...],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sent: Sent | None = None
        self.name: Final = name
        self.channels: Final = channels
        self._expect, self._period_s, self._clock = expect, period_s, clock
        self._low = np.array([channel.low for channel in channels])
        self._high = np.array([channel.high for channel in channels])
        self.poller: Final = Poller(name, address, self, period_s, timeout_s=self.timeout_s, gap_s=self.gap_s)

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

    def greet(self, link: Link) -> None:
        told = self._identity(link)
        if not told.startswith(self._expect):
            raise WrongModel(
                f"answers as {told}",
                where=link.address,
                value=told,
                bound=self._expect,
                hint=f"{self._expect} was expected; check the address",
            )

    def sending(self, values: Floats) -> None:
        """Note what is about to be written; the time counts from the first writing of the same values."""
        if self.sent is None or not np.array_equal(self.sent.values, values):
            self.sent = Sent(values.copy(), self._clock())

    @abstractmethod
    def exchange(self, link: Link) -> Reading: ...

    @abstractmethod
    def forget(self) -> None: ...

    def _identity(self, link: Link) -> str:
        reply = link.ask(self.identity_query)
        codec.identity(reply)
        return reply.decode("ascii", "replace").strip()

    def _within(self, wrong: Callable[[], str]) -> None:
        """Ask again until nothing is `wrong`, because instruments obey after a varying delay; raises `BenchError`."""
        until_s = time.monotonic() + SETTLE_S
        while complaint := wrong():
            if time.monotonic() > until_s:
                raise BenchError(f"{complaint} after {SETTLE_S:g} s", where=self.name, hint=self._reason())
            time.sleep(ASK_AGAIN_S)

    def _reason(self) -> str:
        return "check its panel"


class ScpiSource(PolledSource):
    """Services that every SCPI instrument has."""

    next_error: str

    def errors(self) -> list[str]:
        """The error queue, oldest first; emptied by reading."""
        found: list[str] = []
        while len(found) < LONGEST_QUEUE:
            entries = codec.error_entries(self._ask(self.next_error)[0])
            if not entries:
                break
            found += [str(entry) for entry in entries]
        return found

    def _tell(self, *units: str) -> None:
        self.poller.call(lambda link: link.write(codec.message(*units)))

    def _ask(self, *units: str) -> list[bytes]:
        """One reply per unit, all asked in one message."""
        count = len(units)
        return codec.units(self.poller.call(lambda link: link.ask(codec.message(*units), count)), count)

    def _reason(self) -> str:
        return f"its error queue says: {', '.join(self.errors()) or 'nothing'}"
