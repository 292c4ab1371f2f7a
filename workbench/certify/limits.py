"""The limits that the device under test must keep, in SI: device limits of the bench file, its maker's profile."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

from drivers.bench_channels import make_channel_table
from drivers.benchfile.cell_defaults import make_thresholds
from drivers.benchfile.device_sheet import Debounced, Feedback, ProtectedQuantity, ProtectionSpec, Timeout, read_sheet
from drivers.channel_names import SUPPLY_CURRENT, cell_voltage, sensed_temperature
from drivers.errors import NotApplicable
from workbench.certify.job import read_job
from workbench.certify.time_limit import DEFAULT_S
from workbench.engine.bench_checks import read_checked_bench

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from drivers.benchfile.device_sheet import DeviceSheet
    from drivers.benchfile.limits import DeclaredLimits
    from drivers.benchfile.model import Bench, DeviceLimits
    from drivers.canbus.dut_map import DutMap
    from drivers.snapshot import ChannelTable


TIMES: Final = 10.0  # how many protections a case triggers at most, with the waits between
BOUNDED: Final = {  # each protection: the channel whose bound it keeps, the side, the tolerance
    "cell_overvoltage": (cell_voltage(1), +1, "tolerance_v"),
    "cell_undervoltage": (cell_voltage(1), -1, "tolerance_v"),
    "overcurrent_charge": (SUPPLY_CURRENT, -1, "tolerance_a"),
    "overcurrent_discharge": (SUPPLY_CURRENT, +1, "tolerance_a"),
    "overtemperature": (sensed_temperature(1), +1, "tolerance_k"),
}


@dataclass(frozen=True, slots=True)
class ProtectionLevel:
    """A protection: the device's bound, the test value `inside` it (must not trip) and the one `beyond` it (must trip).

    `debounce_s` comes from the profile. The contactor must open between `earliest_s` and `latest_s` after the crossing.
    The device reports the word `fault`. `names_place`: it names the cell or sensor; `latched`: the fault survives a
    power cut.
    """

    bound: float
    inside: float
    beyond: float
    debounce_s: float
    earliest_s: float
    latest_s: float
    fault: str = ""
    names_place: bool = True
    latched: bool = True


@dataclass(frozen=True)
class CaseLimits:
    """`cells` and `sensors`: their numbers from 1; `levels`: by table name in the profile; `profile`: its file name.

    A case that asks for a protection that the profile does not declare gets `NotApplicable`.
    """

    cells: tuple[int, ...]
    sensors: tuple[int, ...]
    tell_s: float
    levels: Mapping[str, ProtectionLevel]
    profile: str

    def level(self, name: str) -> ProtectionLevel:
        """Return one protection by its table; raise `NotApplicable` where the profile declares none."""
        if name not in self.levels:
            hint = "add it there if the device has this protection"
            raise NotApplicable(f"the device profile {self.profile} declares no [{name}]", hint=hint)
        return self.levels[name]

    def latching(self, name: str) -> ProtectionLevel:
        """Return a protection whose fault survives a power cycle; raise `NotApplicable` where it does not."""
        level = self.level(name)
        if not level.latched:
            reason = f"the device profile {self.profile} says that [{name}] is not latched over a power cycle"
            raise NotApplicable(reason, hint="a latch that the profile does not declare is not judged")
        return level

    @property
    def case_s(self) -> float:
        """The time limit of a case, in s: a case waits several times as long as the slowest protection takes."""
        return DEFAULT_S + TIMES * max((level.latest_s for level in self.levels.values()), default=0.0)

    @property
    def overvoltage(self) -> ProtectionLevel:
        return self.level("cell_overvoltage")

    @property
    def undervoltage(self) -> ProtectionLevel:
        return self.level("cell_undervoltage")

    @property
    def charge(self) -> ProtectionLevel:
        return self.level("overcurrent_charge")

    @property
    def discharge(self) -> ProtectionLevel:
        return self.level("overcurrent_discharge")

    @property
    def overtemperature(self) -> ProtectionLevel:
        return self.level("overtemperature")

    @property
    def heartbeat(self) -> ProtectionLevel:
        return self.level("heartbeat")

    @property
    def feedback(self) -> ProtectionLevel:
        return self.level("contactor")

    @property
    def open_wire(self) -> ProtectionLevel:
        return self.level("open_wire")


def read_limits(path: Path) -> CaseLimits:
    """Return the limits of the bench file at `path`; raise `BenchFileError`."""
    checked = read_checked_bench(path)
    bench = checked.bench
    asked = _require_device_limits(bench)
    profile = path.parent / asked.thresholds
    sheet = read_sheet(profile, make_thresholds(bench.cell, bench.pack.element_ah))
    return CaseLimits(
        cells=tuple(range(1, bench.pack.cells + 1)),
        sensors=tuple(range(1, bench.io_box.thermistors + 1)),
        tell_s=asked.tell_ms / 1e3,
        levels=dict(_Levels(bench, checked.mapped, asked).read_all(sheet)),
        profile=profile.name,
    )


@dataclass(frozen=True)
class _Levels:
    bench: Bench
    mapped: DutMap
    device_limits: DeviceLimits

    def read_all(self, profile: DeviceSheet) -> Iterator[tuple[str, ProtectionLevel]]:
        """Yield what the profile declares, by table."""
        for name in type(profile).model_fields:
            part: ProtectedQuantity | None = getattr(profile, name)
            if isinstance(part, ProtectionSpec):
                channel, side, tolerance = BOUNDED[name]
                yield name, self._level(name, part, channel, side, getattr(self.device_limits, tolerance))
            elif part is not None:
                yield name, self._times(name, part)

    def _level(
        self, name: str, protection: ProtectionSpec, channel: str, side: int, tolerance: float
    ) -> ProtectionLevel:
        """Return the protection of `channel` on one side; `inside` stays inside both the bound and the profile."""
        bound = self._bound(channel, side)
        declared = math.copysign(protection.limit_si, side) if channel == SUPPLY_CURRENT else protection.limit_si
        nearer = min(side * bound, side * declared) * side
        level = replace(self._times(name, protection), bound=bound, latched=protection.latched)
        return replace(level, inside=nearer - side * tolerance, beyond=bound + side * tolerance)

    def _times(self, name: str, protection: ProtectedQuantity) -> ProtectionLevel:
        react_s = (self.device_limits.react_ms if protection.react_ms is None else protection.react_ms) / 1e3
        debounce_s = _compute_debounce_s(protection)
        fault = protection.fault or name.upper()
        unbound = math.nan
        return ProtectionLevel(
            unbound, unbound, unbound, debounce_s, debounce_s, debounce_s + react_s, fault, protection.place
        )

    def _bound(self, channel: str, side: int) -> float:
        """Return the device limit of `channel` on one side, in SI; raise `BenchFileError` if none is declared."""
        limits, column = self._declared_limits, self._channel_table.index(channel)
        number, document = limits.numbers[column], self.bench.document
        if number is None:
            raise document.mistake(("limit",), f"has no row for {channel}", hint="declare its device limit")
        bound = float((limits.device_high if side > 0 else limits.device_low)[column])
        if not math.isfinite(bound):
            hint = "add device = [low, high]"
            raise document.mistake(("limit", number, "channels"), "has no device limit to certify by", hint=hint)
        return bound

    @cached_property
    def _channel_table(self) -> ChannelTable:
        return make_channel_table(self.bench, self.mapped)

    @cached_property
    def _declared_limits(self) -> DeclaredLimits:
        return self.bench.limits(self._channel_table)


def _compute_debounce_s(protection: ProtectedQuantity) -> float:
    """Return how long (s) a cause must last before the device acts."""
    match protection:
        case ProtectionSpec():
            return protection.debounce_s
        case Timeout():
            return protection.timeout_ms / 1e3
        case Debounced():
            return (protection.every_ms + protection.debounce_ms) / 1e3
        case Feedback():
            return protection.feedback_ms / 1e3
        case _:
            raise TypeError(f"{type(protection).__name__} has no time")


def _require_device_limits(bench: Bench) -> DeviceLimits:
    if bench.device_limits is None:
        hint = "see docs/bench-files.md"
        raise bench.document.mistake(("device_limits",), "is missing; certify needs it", hint=hint)
    return bench.device_limits


if TYPE_CHECKING:
    LIMITS: CaseLimits
else:

    @cache
    def _limits() -> CaseLimits:
        return read_limits(read_job().bench)

    def __getattr__(name: str) -> Any:
        """Return `LIMITS` of the current certification; read them when a case first asks for them."""
        if name == "LIMITS":
            return _limits()
        raise AttributeError(name)
