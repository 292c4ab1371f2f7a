"""The declarations of a bench file, for a client of a session. Values are SI."""

from __future__ import annotations

from collections.abc import Mapping  # fields of records name it
from dataclasses import dataclass, field
from typing import Final

from drivers import source_names
from drivers.channel_names import BMS, CELL, IO, SUPPLY


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """One source as declared: `name` as in `Health.name`, the channels that it owns by prefix, its period in s."""

    name: str
    label: str
    prefixes: tuple[str, ...]
    period_s: float


_SOURCES: Final = {  # label, and prefix of the channels
    source_names.CELL_SIMULATOR: ("Cell simulator", CELL),
    source_names.SUPPLY: ("Supply", SUPPLY),
    source_names.DUT: ("BMS (CAN)", BMS),
    source_names.IO_BOX: ("I/O box", IO),
}


def describe_source(name: str, period_s: float) -> SourceInfo:
    """Describe one of the four sources of a bench."""
    label, prefix = _SOURCES[name]
    return SourceInfo(name, label, (prefix,), period_s)


@dataclass(frozen=True, slots=True)
class LimitPair:
    """Limits of one channel in its SI unit; `device` is None where only the bench has one."""

    channel: str
    unit: str
    bench: tuple[float, float]
    device: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class NumberParameter:
    """One number of a fault, SI, with its bounds; `whole` for a count such as a cell number."""

    name: str
    label: str
    unit: str
    low: float
    high: float
    default: float
    whole: bool = False

    @property
    def bounds(self) -> str:
        """The allowed range, in SI."""
        return f"{self.low:g}..{self.high:g}" + ("" if self.unit == "1" else f" {self.unit}")

    def allows(self, value: float | str | None) -> bool:
        """Return whether `value` is a number within the bounds, and whole if it is a count."""
        if not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        return not self.whole or value == int(value)


@dataclass(frozen=True, slots=True)
class ChoiceParameter:
    """A parameter of a fault that is one of several options, such as the instrument that stops answering."""

    name: str
    label: str
    options: tuple[str, ...]

    @property
    def bounds(self) -> str:
        """The allowed options."""
        return "|".join(self.options)

    def allows(self, value: float | str | None) -> bool:
        """Return whether `value` is one of the options."""
        return value in self.options


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault that the bench can inject; `where` describes where it acts."""

    name: str
    label: str
    where: str
    parameters: tuple[NumberParameter | ChoiceParameter, ...] = ()


@dataclass(frozen=True)
class BenchInfo:
    """The declarations of the bench file. `words[channel][value]` names the values of states and flags."""

    name: str
    file: str
    mode: str
    closure: str
    attended: bool
    cells: int
    sources: tuple[SourceInfo, ...] = ()
    limits: tuple[LimitPair, ...] = ()
    faults: tuple[FaultSpec, ...] = ()
    words: Mapping[str, Mapping[int, str]] = field(default_factory=dict[str, Mapping[int, str]])
