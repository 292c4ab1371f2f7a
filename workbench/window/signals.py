"""The signal tree as data, without widgets: groups by source, what shows first, what a filter leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from drivers.channel_names import DERIVED, FAMILY, LANES
from workbench.window import format as fmt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from drivers.snapshot import Channel
    from workbench.session.bench_info import BenchInfo
    from workbench.window.format import Display

BRIEF: Final = 12
_FIRST: Final = ("state", "soc", "output", "current", "voltage", "pack_voltage", "contactor")


@dataclass(frozen=True, slots=True)
class Signal:
    """One row: the channel, its label under the source, how it is shown."""

    channel: str
    label: str
    display: Display


@dataclass(frozen=True)
class Group:
    """One source or lane with its signals; the first `brief` show until somebody asks for more."""

    name: str
    label: str
    signals: tuple[Signal, ...]
    period: str = ""
    brief: int = 0
    open: bool = True

    @property
    def more(self) -> int:
        return len(self.signals) - self.brief


def groups(bench: BenchInfo, channels: Iterable[Channel]) -> list[Group]:
    """Every channel once: sources in the bench's order, then lanes, loop and gate, and what the window derives."""
    places: dict[str, list[Channel]] = {}
    for channel in channels:
        places.setdefault(_place(bench, channel.name), []).append(channel)
    made: list[Group] = []
    for source in bench.sources:
        own = places.pop(source.name, [])
        signals = _ordered(own, bench.words)
        period = f"{source.period_s * 1e3:.0f} ms"
        made.append(Group(source.name, source.label, signals, period, _brief(signals)))
    for name, own in places.items():
        signals = tuple(_signal(channel, bench.words, name) for channel in own)
        made.append(Group(name, name, signals, "", len(signals), open=False))
    return made


def filtered(all_groups: Sequence[Group], text: str) -> list[Group]:
    """Groups with the signals whose name or label holds every word of `text`."""
    words = text.lower().split()
    if not words:
        return list(all_groups)
    made: list[Group] = []
    for group in all_groups:
        kept = tuple(
            signal
            for signal in group.signals
            if all(word in f"{group.label} {signal.channel} {signal.label}".lower() for word in words)
        )
        if kept:
            made.append(replace(group, signals=kept, brief=len(kept), open=True))
    return made


def _place(bench: BenchInfo, name: str) -> str:
    for source in bench.sources:
        if name.startswith(source.prefixes):
            return source.name
    head, _, rest = name.partition("/")
    if head in LANES:
        return f"{head.capitalize()} {rest.split('/', 1)[0]}"
    return "Derived" if head in DERIVED else "Loop and gate"


def _ordered(channels: Sequence[Channel], words: Mapping[str, Mapping[int, str]]) -> tuple[Signal, ...]:
    """Single channels first, then families such as 24 cells."""
    singles = [channel for channel in channels if not _numbered(channel.name)]
    singles.sort(key=lambda channel: _rank(channel.name))
    families = sorted((channel for channel in channels if _numbered(channel.name)), key=lambda c: _family(c.name))
    return tuple(_signal(channel, words, "") for channel in (*singles, *families))


def _brief(signals: Sequence[Signal]) -> int:
    singles = sum(1 for signal in signals if not _numbered(signal.channel))
    if singles:
        first = next((list(own) for _, own in groupby(signals[singles:], lambda s: _family(s.channel))), list[Signal]())
        return singles + min(len(first), 1)
    return min(len(signals), BRIEF)


def _numbered(name: str) -> bool:
    return FAMILY.fullmatch(name) is not None


def _family(name: str) -> tuple[bool, str]:
    """The same for all members of a family; voltages before currents."""
    plain = "".join(char for char in name if not char.isdigit())
    return (plain.endswith("current"), plain)


def _rank(name: str) -> int:
    last = name.rsplit("/", 1)[-1]
    return _FIRST.index(last) if last in _FIRST else len(_FIRST)


def _signal(channel: Channel, words: Mapping[str, Mapping[int, str]], group: str) -> Signal:
    label = fmt.label(channel.name)
    if group and channel.name.count("/") > 1:
        label = channel.name.split("/", 2)[2]
    elif group:
        label = channel.name
    return Signal(channel.name, label, fmt.display(channel.name, channel.unit, words))
