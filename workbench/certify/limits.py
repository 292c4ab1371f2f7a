"""What the device under test must keep: its device limits in the bench file and its maker's sheet, in SI."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

from drivers.benchfile.device import read_sheet
from drivers.benchfile.read import read_bench
from drivers.benchfile.units import to_si
from workbench.certify.order import given

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.benchfile.device import Protection
    from drivers.benchfile.model import Bench, DeviceLimits


@dataclass(frozen=True, slots=True)
class Level:
    """A protection: the device's bound, and what is tried `inside` of it (must not trip) and `beyond` it (must).

    `debounce_s` is the sheet's; the contactor is open between `earliest_s` and `latest_s` after the crossing.
    """

    bound: float
    inside: float
    beyond: float
    debounce_s: float
    earliest_s: float
    latest_s: float


@dataclass(frozen=True)
class Limits:
    """`cells` and `sensors` are their numbers, from 1."""

    cells: tuple[int, ...]
    sensors: tuple[int, ...]
    overvoltage: Level
    undervoltage: Level
    charge: Level
    discharge: Level
    overtemperature: Level
    heartbeat: Level
    feedback: Level
    open_wire_s: float
    tell_s: float


def read_limits(path: Path) -> Limits:
    """The limits of the bench file at `path`; raises `BenchFileError`."""
    bench = read_bench(path)
    asked = _asked(bench)
    sheet = read_sheet(path.parent / asked.thresholds)
    wanted = _Levels(bench, asked)
    return Limits(
        cells=tuple(range(1, bench.pack.cells + 1)),
        sensors=tuple(range(1, bench.io_box.thermistors + 1)),
        overvoltage=wanted.level("cell_01/voltage", sheet.cell_overvoltage, +1, asked.tolerance_v),
        undervoltage=wanted.level("cell_01/voltage", sheet.cell_undervoltage, -1, asked.tolerance_v),
        charge=wanted.level("supply/current", sheet.overcurrent_charge, -1, asked.tolerance_a),
        discharge=wanted.level("supply/current", sheet.overcurrent_discharge, +1, asked.tolerance_a),
        overtemperature=wanted.level("bms/temperature_1", sheet.overtemperature, +1, asked.tolerance_k),
        heartbeat=wanted.times(sheet.heartbeat.timeout_ms / 1e3),
        feedback=wanted.times(sheet.contactor.feedback_ms / 1e3),
        open_wire_s=(sheet.open_wire.every_ms + sheet.open_wire.debounce_ms) / 1e3,
        tell_s=asked.tell_ms / 1e3,
    )


@dataclass(frozen=True)
class _Levels:
    bench: Bench
    asked: DeviceLimits

    def level(self, channel: str, sheet: Protection, side: int, tolerance: float) -> Level:
        """The bound of `channel` on one side; what must not trip stays inside of both the bound and the sheet."""
        bound = self._bound(channel, side)
        declared = math.copysign(sheet.limit_si, side) if channel == "supply/current" else sheet.limit_si
        nearer = min(side * bound, side * declared) * side
        inside, beyond = nearer - side * tolerance, bound + side * tolerance
        return self.times(sheet.debounce_s, bound=bound, inside=inside, beyond=beyond)

    def times(
        self, debounce_s: float, *, bound: float = math.nan, inside: float = math.nan, beyond: float = math.nan
    ) -> Level:
        return Level(bound, inside, beyond, debounce_s, debounce_s, debounce_s + self.asked.react_ms / 1e3)

    def _bound(self, channel: str, side: int) -> float:
        for number, limit in enumerate(self.bench.limit):
            if fnmatchcase(channel, limit.channels):
                if limit.device is None:
                    hint = "declare what the device must keep"
                    at = ("limit", number, "channels")
                    raise self.bench.document.mistake(at, "has no device limit to certify by", hint=hint)
                return to_si(limit.device[side > 0], limit.unit)
        raise self.bench.document.mistake(("limit",), f"bounds no {channel}", hint="declare its device limit")


def _asked(bench: Bench) -> DeviceLimits:
    if bench.device_limits is None:
        hint = "docs/bench-files.md says what it holds"
        raise bench.document.mistake(("device_limits",), "is missing, so there is nothing to certify by", hint=hint)
    return bench.device_limits


if TYPE_CHECKING:
    LIMITS: Limits
else:

    @cache
    def _limits() -> Limits:
        return read_limits(given().bench)

    def __getattr__(name: str) -> Any:
        """`LIMITS` of the certification under way, read when a case first asks for them."""
        if name == "LIMITS":
            return _limits()
        raise AttributeError(name)
