"""Elements of an instrument's page: commands with unit, range and the source of the command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from drivers.errors import BenchError
from drivers.scpi import codec

if TYPE_CHECKING:
    from collections.abc import Mapping

UNVERIFIED: Final = "seen in public drivers, unverified"
ASSUMED: Final = "assumed from a similar known command, unverified"
ON_OFF: Final[Mapping[str, bool]] = {"ON": True, "OFF": False, "1": True, "0": False}


class Read(NamedTuple):
    """A value in SI, and half of its last decimal."""

    value: float
    half_step: float


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in the SI unit `unit`, valid from `low` to `high`; the wire carries `per_si` times it.

    `header` may contain `{n}` for the number of a channel; `suffix` is the unit that replies may have.
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
        """Return the unit that sets `value`; raise `BenchError` outside the range, also for NaN."""
        return f"{self.header.format(n=n)} {self.encoded(value)}"

    def encoded(self, value: float) -> str:
        """Return `value` as the wire carries it."""
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
        """Return the SI value of a reply; raise `LinkGarbage`."""
        return codec.number(reply, self.suffix) / self.per_si

    def read_back(self, reply: bytes) -> Read:
        """Return the SI value and its rounding error; raise `LinkGarbage`."""
        return Read(self.read(reply), codec.half_step(reply, self.suffix) / self.per_si)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    header: str
    words: Mapping[str, str]
    source: str

    def put(self, meaning: str, n: int = 0) -> str:
        """Return the unit that chooses `meaning`; raise `BenchError` that lists the choices."""
        if meaning not in self.words:
            raise BenchError(f"{meaning} is not one of {', '.join(self.words)}", where=self.header, value=meaning)
        return f"{self.header.format(n=n)} {self.words[meaning]}"

    def ask(self, n: int = 0) -> str:
        return f"{self.header.format(n=n)}?"


@dataclass(frozen=True, slots=True)
class Query:
    """A query without a setting."""

    header: str
    source: str

    def ask(self, n: int = 0) -> str:
        return f"{self.header.format(n=n)}?"
