"""What an instrument's page is made of: commands with unit, range and the source of the command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from drivers.errors import BenchError
from drivers.scpi import codec

if TYPE_CHECKING:
    from collections.abc import Mapping

UNVERIFIED: Final = "seen in public drivers, unverified"
ASSUMED: Final = "by likeness to a command that is known, unverified"
ON_OFF: Final[Mapping[str, bool]] = {"ON": True, "OFF": False, "1": True, "0": False}


class Read(NamedTuple):
    """A value in SI, and half of the last decimal that it came with."""

    value: float
    half_step: float


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in the SI unit `unit`, believed within `low` to `high`; the wire carries `per_si` times it.

    `header` may hold `{n}` for the number of a channel; `suffix` is the unit that replies may carry.
    """

    header: str
    unit: str
    low: float
    high: float
    source: str
    per_si: float = 1.0
    digits: int = 3
    suffix: str = ""

    def put(self, value: float, n: int = 0) -> str:
        """The unit that sets `value`; raises `BenchError` outside the range, NaN included."""
        return f"{self.header.format(n=n)} {self.encoded(value)}"

    def encoded(self, value: float) -> str:
        """`value` as the wire carries it."""
        if not self.low <= value <= self.high:
            raise BenchError(
                f"{value:g} {self.unit} is outside {self.low:g} to {self.high:g} {self.unit}",
                where=self.header,
                value=value,
                bound=[self.low, self.high],
            )
        return f"{value * self.per_si:.{self.digits}f}"

    def ask(self, n: int = 0) -> str:
        return f"{self.header.format(n=n)}?"

    def read(self, reply: bytes) -> float:
        """The SI value of a reply; raises `LinkGarbage`."""
        return codec.number(reply, self.suffix) / self.per_si

    def read_back(self, reply: bytes) -> Read:
        """As `read`, with what the instrument has rounded away; raises `LinkGarbage`."""
        return Read(self.read(reply), codec.half_step(reply, self.suffix) / self.per_si)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    header: str
    words: Mapping[str, str]
    source: str

    def put(self, meaning: str, n: int = 0) -> str:
        """The unit that chooses `meaning`; raises `BenchError` that lists what there is."""
        if meaning not in self.words:
            raise BenchError(f"{meaning} is none of {', '.join(self.words)}", where=self.header, value=meaning)
        return f"{self.header.format(n=n)} {self.words[meaning]}"

    def ask(self, n: int = 0) -> str:
        return f"{self.header.format(n=n)}?"


@dataclass(frozen=True, slots=True)
class Query:
    """A question that has no setting."""

    header: str
    source: str

    def ask(self, n: int = 0) -> str:
        return f"{self.header.format(n=n)}?"
