"""Checks of a device's behaviour across keys: channels, words and requests against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.canbus.device_behaviour import HealthRow
from drivers.canbus.device_faults import derive_fault_channels
from drivers.channel_names import BMS_FAULT, BMS_FAULT_CELL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drivers.benchfile.document import Document
    from drivers.canbus.dut_map import DutFile
    from drivers.snapshot import Channel


def check_behaviour(
    document: Document, file: DutFile, mapped: Sequence[Channel], words: Callable[[str], Mapping[int, str]]
) -> None:
    """Raise `BenchFileError` for the first key of the behaviour that does not match the rest of the map."""
    names = {channel.name for channel in mapped}
    _check_faults(document, file, names)
    _check_request(document, file)
    known = names | {channel.name for channel in derive_fault_channels(mapped, file.fault)}
    health = file.health
    if health.channel not in known and health == HealthRow():
        return  # a map whose device is never armed need not declare a fault
    if health.channel not in known:
        what, hint = f'= "{health.channel}" is not a channel of this map', "map it, or name the channel of the state"
        raise document.mistake(("health", "channel"), what, value=health.channel, hint=hint)
    value_names = words(health.channel)
    for number, word in enumerate(health.healthy):
        if isinstance(word, str) and word not in value_names.values():
            what = f'= "{word}" is not in the value table of {health.channel}'
            bound = ", ".join(value_names.values()) or "numbers: it has no value table"
            raise document.mistake(("health", "healthy", number), what, value=word, bound=bound)


def healthy_values(health: HealthRow, words: Mapping[int, str]) -> tuple[float, ...]:
    """Return the values of `health.channel` that mean no fault; words, checked before, become numbers."""
    number_of = {word: float(number) for number, word in words.items()}
    return tuple(number_of[word] if isinstance(word, str) else word for word in health.healthy)


def _check_faults(document: Document, file: DutFile, mapped: set[str]) -> None:
    for name in (BMS_FAULT, BMS_FAULT_CELL):
        if file.fault and name in mapped:
            what, hint = f"creates the channel {name}, to which a signal is mapped too", "remove one of them"
            raise document.mistake(("fault", 0), what, value=name, hint=hint)
    names: set[str] = set()
    for number, row in enumerate(file.fault):
        if row.name in names:
            raise document.mistake(("fault", number, "name"), f'= "{row.name}" is already used', value=row.name)
        names.add(row.name)
        for at, flag in enumerate(row.flags):
            if flag not in mapped:
                what = f'= "{flag}" is not a mapped channel'
                raise document.mistake(("fault", number, "flags", at), what, value=flag, hint="map it to a signal")
        if row.place is not None and row.place not in mapped:
            what, hint = f'= "{row.place}" is not a mapped channel', "map it to a signal, or remove place"
            raise document.mistake(("fault", number, "place"), what, value=row.place, hint=hint)


def _check_request(document: Document, file: DutFile) -> None:
    request = file.request
    if request.ignored_ms and request.send == "cyclic":
        what = f"= {request.ignored_ms} ms makes the device ignore every repetition of a cyclic request"
        hint = 'set send = "on change"'
        raise document.mistake(("request", "ignored_ms"), what, value=request.ignored_ms, bound="0 ms", hint=hint)
    if request.recover == "none" and request.none is None:
        what = '= "none" needs the value none, which this map does not declare'
        raise document.mistake(
            ("request", "recover"), what, value="none", bound="open", hint="declare none in [request]"
        )
