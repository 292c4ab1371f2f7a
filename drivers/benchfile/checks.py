"""Checks across fields: limits against each other and the instruments, lanes, times, files."""

from __future__ import annotations

import math
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from drivers import source_names
from drivers.benchfile import safety_times
from drivers.benchfile.model import FILE_SETTINGS, ROLES
from drivers.benchfile.units import si_unit, to_si
from drivers.channel_names import SUPPLY_CURRENT, SUPPLY_VOLTAGE, cell_current, cell_voltage, sensed_temperature
from drivers.evidence_class import EMULATED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drivers.benchfile.document import Document, KeyPath
    from drivers.benchfile.model import Bench, Bounds, LimitSection
    from drivers.errors import BenchFileError

LAST_PORT: Final = 65_535
SIDES: Final = ("below", "above")
PROTECTED: Final = (  # channel (one cell represents all), section, field and unit of each instrument-side protection
    (cell_voltage(1), source_names.CELL_SIMULATOR, "voltage_v", "V"),
    (cell_current(1), source_names.CELL_SIMULATOR, "current_a", "A"),
    (SUPPLY_VOLTAGE, source_names.SUPPLY, "voltage_v", "V"),
    (SUPPLY_CURRENT, source_names.SUPPLY, "current_a", "A"),
)


def mistakes(bench: Bench, *, files: bool = True) -> Iterator[BenchFileError]:
    """Yield every mistake of a file whose single fields are valid; `files`: whether the files it names must exist."""
    yield from _not_built(bench)
    yield from _addresses(bench)
    yield from _limits(bench)
    yield from _supply(bench)
    yield from safety_times.mistakes(bench)
    yield from _lanes(bench)
    if files:
        yield from _files(bench)


def not_finite(document: Document, value: Any, at: KeyPath = ()) -> Iterator[BenchFileError]:
    """Yield an error for NaN and infinity anywhere in the file, also in free-form settings."""
    if isinstance(value, float) and not math.isfinite(value):
        yield document.mistake(
            at, f"= {value} is not a finite number", value=str(value), bound="finite", hint="write a number"
        )
    elif isinstance(value, dict):
        for key, inner in value.items():  # pyright: ignore[reportUnknownVariableType]  # TOML is untyped
            yield from not_finite(document, inner, (*at, str(key)))  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list):
        for number, inner in enumerate(value):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            yield from not_finite(document, inner, (*at, number))


def _not_built(bench: Bench) -> Iterator[BenchFileError]:
    """Yield errors for wiring that a bench may have but this version does not support: to ignore it would be worse."""
    general = bench.bench
    if general.closure == "terminals":
        yield bench.document.mistake(
            ("bench", "closure"),
            'is "terminals", where a supply emulates the pack: its loop delay and its stability are not measured',
            value="terminals",
            bound="shunt-loop",
            hint='use "shunt-loop"',
        )
    for key, value, built in (("mode", general.mode, "hil"), ("closure", general.closure, "shunt-loop")):
        if value not in {built, "terminals"}:
            what, hint = f'= "{value}" is not supported yet', f'use "{built}"'
            yield bench.document.mistake(("bench", key), what, value=value, bound=built, hint=hint)


def _addresses(bench: Bench) -> Iterator[BenchFileError]:
    """Check that each address is `host:port` or `emulated:NAME` and used once: the guard connects to the supply too."""
    owners: dict[str, str] = {}
    for name, section in bench.instruments.items():
        at, address = (name, "address"), section.address
        host, _, port = address.rpartition(":")
        port_ok = port.isascii() and port.isdigit() and 1 <= int(port) <= LAST_PORT
        if not (host and not _odd(host) and (port_ok or (host == EMULATED and port.isidentifier()))):
            hint = "write host:port, for instance 192.0.2.10:5025"
            what = f'= "{address}" is not an address'
            yield bench.document.mistake(at, what, value=address, bound="host:port, port 1 to 65535", hint=hint)
        elif address in owners:
            what, hint = f'= "{address}" is also the address of {owners[address]}', "give each its own address"
            yield bench.document.mistake(at, what, value=address, bound="unique", hint=hint)
        owners.setdefault(address, name)


def _odd(host: str) -> bool:
    return not re.fullmatch(r"[A-Za-z0-9._-]+", host)


def _limits(bench: Bench) -> Iterator[BenchFileError]:
    for number, limit in enumerate(bench.limit):
        at = ("limit", number)
        if limit.device is None and limit.bench is None:
            yield bench.document.mistake(at, "sets no bounds", hint="add device, bench or both")
        for name, bounds in (("device", limit.device), ("bench", limit.bench)):
            if bounds is not None and not bounds[0] < bounds[1]:
                what = f"= [{bounds[0]}, {bounds[1]}] {limit.unit} is empty"
                hint = "write the lower bound first"
                yield bench.document.mistake((*at, name), what, value=list(bounds), bound="lower < upper", hint=hint)
        yield from _device_in_bench(bench.document, at, limit)
        if limit.bench is not None:
            yield from _bench_in_protection(bench, at, limit, limit.bench)
    yield from _unbounded(bench)


def _device_in_bench(document: Document, at: KeyPath, limit: LimitSection) -> Iterator[BenchFileError]:
    """Check that the device's limit lies within the bench limit; otherwise no test could reach it."""
    if limit.device is None or limit.bench is None:
        return
    for side, (outer, inner) in enumerate(zip(limit.bench, limit.device, strict=True)):
        if outer >= inner if side == 0 else outer <= inner:
            which, unit = SIDES[1 - side], limit.unit
            relation = "is" if outer == inner else f"is {which}"
            yield document.mistake(
                (*at, "bench", side),
                f"= {outer} {unit} {relation} the device limit {inner} {unit}",
                value=outer,
                bound=f"{'<>'[side]} {inner} {unit}",
                hint=f"{('lower', 'raise')[side]} it or {('raise', 'lower')[side]} the device limit",
            )


def _bench_in_protection(bench: Bench, at: KeyPath, limit: LimitSection, bounds: Bounds) -> Iterator[BenchFileError]:
    """Check that the instrument's protection lies beyond the bench limit that the software keeps."""
    for channel, owner, field, unit in PROTECTED:
        if si_unit(limit.unit) == unit and limit.has_channel(channel):
            protection: float = getattr(getattr(bench, owner).protect, field)
            for side in (0, 1) if field == "current_a" else (1,):
                magnitude = abs(to_si(bounds[side], limit.unit))
                if magnitude >= protection:
                    yield bench.document.mistake(
                        (*at, "bench", side),
                        f"= {bounds[side]} {limit.unit} is not within {owner}.protect.{field} = {protection} {unit}",
                        value=bounds[side],
                        bound=f"magnitude < {protection} {unit}",
                        hint="bring it nearer to zero or raise the instrument's protection",
                    )


def _unbounded(bench: Bench) -> Iterator[BenchFileError]:
    """Check that every output of the bench has a bench limit; gate and guard need one."""
    outputs = [name(cell) for name in (cell_voltage, cell_current) for cell in range(1, bench.pack.cells + 1)]
    outputs += [sensed_temperature(number) for number in range(1, bench.io_box.thermistors + 1)]
    outputs += [SUPPLY_VOLTAGE, SUPPLY_CURRENT]
    bounded = [limit for limit in bench.limit if limit.bench is not None]
    for channel in outputs:
        if not any(limit.has_channel(channel) for limit in bounded):
            yield _no_bench_limit(bench, channel, outputs)
            return


def _no_bench_limit(bench: Bench, channel: str, outputs: Sequence[str]) -> BenchFileError:
    """Return the error at the likely place of the missing limit: one without bench bounds, or a misspelt pattern."""
    hint = f'add a [[limit]] with channels = "{channel}" and bench = [low, high]'
    at: KeyPath = ("limit", 0)
    idle = {limit.channels: n for n, limit in enumerate(bench.limit) if not any(map(limit.has_channel, outputs))}
    for number, limit in enumerate(bench.limit):
        if limit.has_channel(channel):
            at, hint = ("limit", number), "add bench = [low, high]"
    if near := get_close_matches(channel, idle, 1):
        at, hint = ("limit", idle[near[0]], "channels"), f'correct "{near[0]}", or {hint}'
    return bench.document.mistake(
        at, f"has no bench limit for {channel}", value=channel, bound="a bench limit", hint=hint
    )


def _supply(bench: Bench) -> Iterator[BenchFileError]:
    supply = bench.supply
    if not supply.discharge_v < supply.charge_v:
        yield bench.document.mistake(
            ("supply", "charge_v"),
            f"= {supply.charge_v} V is not above discharge_v = {supply.discharge_v} V",
            value=supply.charge_v,
            bound=f"> {supply.discharge_v} V",
            hint="raise it: charging needs the higher voltage",
        )
    if not supply.charge_v < supply.protect.voltage_v:
        yield bench.document.mistake(
            ("supply", "charge_v"),
            f"= {supply.charge_v} V would trip supply.protect.voltage_v = {supply.protect.voltage_v} V",
            value=supply.charge_v,
            bound=f"< {supply.protect.voltage_v} V",
            hint="lower it or raise the protection",
        )


def _lanes(bench: Bench) -> Iterator[BenchFileError]:
    numbers: dict[str, int] = {}
    for number, lane in enumerate(bench.lane):
        if lane.name in numbers:
            first = bench.document.line(("lane", numbers[lane.name], "name"))
            what = f'= "{lane.name}" is already the name of the lane at line {first}'
            hint = "give each lane its own name"
            yield bench.document.mistake(("lane", number, "name"), what, value=lane.name, bound="unique", hint=hint)
        numbers.setdefault(lane.name, number)
    for role in ROLES:
        active = [number for number, lane in enumerate(bench.lane) if lane.role == role and lane.active]
        if len(active) != 1:
            names = ", ".join(f'"{bench.lane[number].name}"' for number in active) or "none"
            at = ("lane", active[1], "active") if active else ("lane",)
            what = f"has {len(active)} active {role} lanes ({names})"
            hint = f"set active = true on exactly one {role} lane"
            yield bench.document.mistake(at, what, value=len(active), bound="exactly 1", hint=hint)


def _files(bench: Bench) -> Iterator[BenchFileError]:
    named: list[tuple[KeyPath, Any]] = [(("dut", "map"), bench.dut.map)]
    named += [
        (("lane", number, "settings", key), lane.settings[key])
        for number, lane in enumerate(bench.lane)
        for key in FILE_SETTINGS
        if key in lane.settings
    ]
    for at, name in named:
        yield from find_file_error(bench.document, at, name)


def find_file_error(document: Document, at: KeyPath, name: object) -> Iterator[BenchFileError]:
    """Yield an error if `name`, the value at `at`, is not the path of a file."""
    if not isinstance(name, str):
        yield document.mistake(at, f"= {name!r} is not a file name", value=str(name), hint="write it in quotes")
    elif any(not character.isprintable() for character in name):
        hint = "write the path with / or in single quotes"
        yield document.mistake(at, f"= {name!r} has a backslash that begins an escape", value=name, hint=hint)
    elif not (document.path.parent / name).is_file():
        hint = f"paths are relative to {document.path.parent}"
        yield document.mistake(at, f'= "{name}" is not a file', value=name, bound="an existing file", hint=hint)
