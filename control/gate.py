"""The gate: it takes the requested command and returns the allowed one. Closed by default, so NaN never passes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from drivers.snapshot import Command

if TYPE_CHECKING:
    from drivers.snapshot import Channel, ChannelTable, Columns, Floats, Snapshot


@dataclass(frozen=True, slots=True)
class Allowed:
    """The command passes as requested."""

    requested: Command
    apply: Command


@dataclass(frozen=True, slots=True)
class Held:
    """Not now: the last allowed command stays applied for `ticks_left` more ticks, then its current ramps to zero."""

    requested: Command
    apply: Command
    reason: str
    ticks_left: int


@dataclass(frozen=True, slots=True)
class Tripped:
    """Zero current, and cells as last allowed, until an operator resets the gate with a reason."""

    requested: Command
    apply: Command
    reason: str


Verdict: TypeAlias = Allowed | Held | Tripped
Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class BenchLimits:
    """`low[n]` and `high[n]` of `channels[n]` (infinite: none), `declared[n]` as file:line."""

    channels: tuple[Channel, ...]
    low: Floats
    high: Floats
    declared: tuple[str, ...]

    def only(self, columns: Columns) -> BenchLimits:
        """Return the limits at `columns`, which may repeat."""
        pick: list[int] = columns.tolist()
        channels, declared = tuple(self.channels[n] for n in pick), tuple(self.declared[n] for n in pick)
        return BenchLimits(channels, self.low[columns], self.high[columns], declared)

    def sentence(self, n: int, value: float) -> str:
        """Return a sentence: channel, value, unit, the bound that `value` breaks, and where that was declared."""
        name, unit = self.channels[n].name, self.channels[n].unit
        side, bound = ("below", self.low[n]) if value < self.low[n] else ("above", self.high[n])
        return f"{name} {value:.3f} {unit} {side} {bound:.3f} {unit} ({self.declared[n]})"


@dataclass(frozen=True)
class GateConfig:
    """The gate's configuration, declared by the bench; arrays have one entry per channel of `table`, the measured ones.

    A command must keep the limits of `current`, of `cell_voltage[n]` and of `cell_temperature[n]` (channel names, one
    per commanded value). `late_s[n]` and `lost_s[n]`: ages beyond which a value holds the command, and trips; infinite
    where it need not be known. `device`: columns of the device under test, which is silent if none of them is newer
    than `device_silent_s`. `estop`: column that reads 1 while the hard-wired chain is closed. `advertised`: columns of
    the charge and discharge current that the device allows, where those bind too (mode pack).
    """

    table: ChannelTable
    limits: BenchLimits
    current: str
    cell_voltage: tuple[str, ...]
    cell_temperature: tuple[str, ...]
    late_s: Floats
    lost_s: Floats
    device: Columns
    device_silent_s: float
    estop: int
    hold_ticks: int
    ramp_a_s: float
    advertised: tuple[int, int] | None = None


class Gate:
    """Checks each command against the bench limits and against what is known of the bench at that instant."""

    def __init__(self, spec: GateConfig, rest: Command) -> None:
        """Take `rest`, applied until a first command passes.

        Raise `ValueError` if `rest` breaks a limit, or a limit or a time of the emergency-stop chain is missing.
        """
        self.spec = spec
        names = ((spec.current,), spec.cell_voltage, spec.cell_temperature)
        self._commanded = tuple(spec.limits.only(spec.table.indices(some)) for some in names)
        for limits in self._commanded:
            for channel, low, high in zip(limits.channels, limits.low, limits.high, strict=True):
                if not (math.isfinite(low) and math.isfinite(high)):
                    raise ValueError(f"{channel.name} is commanded but has no bench limit; declare one")
        if not (math.isfinite(spec.late_s[spec.estop]) and math.isfinite(spec.lost_s[spec.estop])):
            raise ValueError("the emergency-stop chain must be known: declare when its input is late and lost")
        self._optional = np.isinf(spec.late_s)
        self._never_lost = np.isinf(spec.lost_s)
        self._known_s = np.full(len(spec.table), np.inf)  # inf: never known
        self._t_s = math.nan
        self._held_ticks = 0
        self._latched = ""
        self._last = rest
        if broken := self._find_overshoot(rest):
            raise ValueError(f"the command at rest breaks a bench limit: {broken}")

    def check(self, snapshot: Snapshot, requested: Command) -> Verdict:
        """Return the verdict on `requested`, given the values and times of `snapshot`."""
        dt_s, self._t_s = snapshot.t_s - self._t_s, snapshot.t_s
        finite = np.isfinite(snapshot.values)
        np.copyto(self._known_s, snapshot.sampled_s, where=finite)
        age_s = np.abs(snapshot.t_s - self._known_s)  # a time from the future is as wrong as one from the past
        if reason := self._latched or self._find_danger(snapshot, finite, age_s):
            self._latched = reason
            return Tripped(requested, self._at_current(0.0), reason)
        if reason := self._find_silent_device(snapshot):
            return Held(requested, self._at_current(0.0), reason, 0)
        if (
            reason := self._find_unknown(finite, age_s)
            or self._find_overshoot(requested)
            or self._find_excess_current(snapshot, requested)
        ):
            return self._hold(requested, reason, dt_s)
        self._held_ticks = 0
        self._last = _copy(requested)
        return Allowed(requested, self._last)

    def rest(self, requested: Command, reason: str) -> Held:
        """Hold at zero current: nothing may be applied yet; arming starts from `requested` if it keeps the limits."""
        if not self._find_overshoot(requested):
            self._last = _copy(requested)
        return Held(requested, self._at_current(0.0), reason, 0)

    def trip(self, reason: str) -> None:
        """Latch a trip that another part detected; the first one stays."""
        self._latched = self._latched or reason

    def reset(self, reason: str) -> None:
        """Reset a latched trip; raise `ValueError` without a reason. A fault still present trips at the next check."""
        if not reason.strip():
            raise ValueError("a reset needs a reason; write why the bench is safe now")
        self._latched = ""
        self._held_ticks = 0

    def _find_danger(self, snapshot: Snapshot, finite: Flags, age_s: Floats) -> str:
        """Return why the bench trips, empty if it does not: a measured limit, a lost channel, the hard-wired chain."""
        limits, values = self.spec.limits, snapshot.values
        inside = ((limits.low <= values) & (values <= limits.high)) | np.isnan(values)  # NaN counts as not known
        if not inside.all():
            n = find_first(~inside, snapshot.sampled_s)
            return limits.sentence(n, float(values[n]))
        known = (age_s <= self.spec.lost_s) | self._never_lost
        if not known.all():
            n = int(known.argmin())
            name = self.spec.table.channels[n].name
            return f"{name} is lost: not known for {age_s[n]:.3f} s, limit {self.spec.lost_s[n]:.3f} s"
        if values[self.spec.estop] != 1.0 and finite[self.spec.estop]:
            return f"{self.spec.table.channels[self.spec.estop].name} is open: the emergency-stop chain was broken"
        return ""

    def _find_silent_device(self, snapshot: Snapshot) -> str:
        """Return why no current may flow, empty if it may: nothing is received from the device under test."""
        newest_s = np.fmax.reduce(snapshot.sampled_s[self.spec.device], initial=-np.inf)
        if not snapshot.t_s - newest_s <= self.spec.device_silent_s:
            return f"device under test is silent for more than {self.spec.device_silent_s:.3f} s"
        return ""

    def _find_unknown(self, finite: Flags, age_s: Floats) -> str:
        """Return why the command is held, empty if it is not: a value is late or not a number."""
        fresh = (finite & (age_s <= self.spec.late_s)) | self._optional
        if fresh.all():
            return ""
        n = int(fresh.argmin())
        name = self.spec.table.channels[n].name
        if not finite[n]:
            return f"{name} is not a number"
        return f"{name} is late: {age_s[n]:.3f} s old, limit {self.spec.late_s[n]:.3f} s"

    def _find_overshoot(self, requested: Command) -> str:
        """Return why the command is held, empty if it is not: it requests more than the bench limits allow."""
        parts = (np.array([requested.current_a]), requested.cell_voltage_v, requested.cell_temperature_k)
        for limits, values in zip(self._commanded, parts, strict=True):
            if values.shape != limits.low.shape:
                return f"asked for {values.size} values where the bench has {limits.low.size}"
            inside = (limits.low <= values) & (values <= limits.high)
            if not inside.all():
                n = int(inside.argmin())
                return f"asked {limits.sentence(n, float(values[n]))}"
        return ""

    def _find_excess_current(self, snapshot: Snapshot, requested: Command) -> str:
        """Return why the command is held, empty if it is not: the device allows less."""
        if self.spec.advertised is None:
            return ""
        charge_a, discharge_a = (float(snapshot.values[n]) for n in self.spec.advertised)
        if not -charge_a <= requested.current_a <= discharge_a:
            return f"asked {requested.current_a:.3f} A, the device allows {-charge_a:.3f} to {discharge_a:.3f} A"
        return ""

    def _hold(self, requested: Command, reason: str, dt_s: float) -> Held:
        self._held_ticks += 1
        ticks_left = self.spec.hold_ticks - self._held_ticks
        if ticks_left >= 0:
            return Held(requested, self._last, reason, ticks_left)
        fall_a = max(0.0, self.spec.ramp_a_s * dt_s)
        current_a = math.copysign(max(0.0, abs(self._last.current_a) - fall_a), self._last.current_a)
        return Held(requested, self._at_current(current_a), reason, 0)

    def _at_current(self, current_a: float) -> Command:
        """Return the last allowed command with another current; it becomes the last one applied."""
        self._last = Command(current_a, self._last.cell_voltage_v, self._last.cell_temperature_k)
        return self._last


def find_first(broken: Flags, sampled_s: Floats) -> int:
    """Return the column that broke its limit first: what is sampled later may follow from it."""
    return int(np.where(broken, np.nan_to_num(sampled_s, nan=np.finfo(float).max), np.inf).argmin())


def _copy(command: Command) -> Command:
    # lanes may reuse their arrays; the last allowed command must not change with them
    return Command(command.current_a, command.cell_voltage_v.copy(), command.cell_temperature_k.copy())
