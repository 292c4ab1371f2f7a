"""The signal tree as data, without widgets: groups by source, what shows first, what a filter keeps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from drivers.channel_names import DERIVED, FAMILY, LANES
from workbench.window.widgets import format as fmt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from drivers.snapshot import Channel
    from workbench.session.bench_info import BenchInfo
    from workbench.window.widgets.format import Display

BRIEF: Final = 12
_FIRST: Final = ("state", "soc", "output", "current", "voltage", "pack_voltage", "contactor")


@dataclass(frozen=True, slots=True)
class SignalItem:
    """One row: the channel, its label under the source, its display format."""

    channel: str
    label: str
    display: Display


@dataclass(frozen=True)
class SignalGroup:
    """One source or lane with its signals; only the first `brief` show until the user expands the group."""

    name: str
    label: str
    signals: tuple[SignalItem, ...]
    period: str = ""
    brief: int = 0
    open: bool = True

    @property
    def more(self) -> int:
        return len(self.signals) - self.brief


def make_groups(bench: BenchInfo, channels: Iterable[Channel]) -> list[SignalGroup]:
    """Group every channel once: sources in the bench's order, then lanes, loop and gate, then derived channels."""
    places: dict[str, list[Channel]] = {}
    for channel in channels:
        places.setdefault(_place(bench, channel.name), []).append(channel)
    made: list[SignalGroup] = []
    for source in bench.sources:
        own = places.pop(source.name, [])
        signals = _sort_signals(own, bench.words)
        period = f"{source.period_s * 1e3:.0f} ms"
        made.append(SignalGroup(source.name, source.label, signals, period, _brief(signals)))
    for name, own in places.items():
        signals = tuple(_signal(channel, bench.words, name) for channel in own)
        made.append(SignalGroup(name, name, signals, "", len(signals), open=False))
    return made


def filter_groups(all_groups: Sequence[SignalGroup], text: str) -> list[SignalGroup]:
    """Return the groups with the signals whose name or label contains every word of `text`."""
    words = text.lower().split()
    if not words:
        return list(all_groups)
    made: list[SignalGroup] = []
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


def _sort_signals(channels: Sequence[Channel], words: Mapping[str, Mapping[int, str]]) -> tuple[SignalItem, ...]:
    """Return single channels first, then families such as 24 cells."""
    singles = [channel for channel in channels if not _numbered(channel.name)]
    singles.sort(key=lambda channel: _rank(channel.name))
    families = sorted((channel for channel in channels if _numbered(channel.name)), key=lambda c: _family(c.name))
    return tuple(_signal(channel, words, "") for channel in (*singles, *families))


def _brief(signals: Sequence[SignalItem]) -> int:
    singles = sum(1 for signal in signals if not _numbered(signal.channel))
    if singles:
        first = next(
            (list(own) for _, own in groupby(signals[singles:], lambda s: _family(s.channel))), list[SignalItem]()
        )
        return singles + min(len(first), 1)
    return min(len(signals), BRIEF)


def _numbered(name: str) -> bool:
    return FAMILY.fullmatch(name) is not None


def _family(name: str) -> tuple[bool, str]:
    """Return a sort key that is the same for all members of a family; voltages before currents."""
    plain = "".join(char for char in name if not char.isdigit())
    return (plain.endswith("current"), plain)


def _rank(name: str) -> int:
    last = name.rsplit("/", 1)[-1]
    return _FIRST.index(last) if last in _FIRST else len(_FIRST)


def _signal(channel: Channel, words: Mapping[str, Mapping[int, str]], group: str) -> SignalItem:
    label = fmt.label(channel.name)
    if group and channel.name.count("/") > 1:
        label = channel.name.split("/", 2)[2]
    elif group:
        label = channel.name
    return SignalItem(channel.name, label, fmt.find_display(channel.name, channel.unit, words))
