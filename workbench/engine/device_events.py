"""The events of the device under test: its state, its fault, its contactors and its current limits change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from control.state import BenchState
from drivers.channel_names import (
    BMS_CONTACTOR,
    BMS_FAULT,
    BMS_FAULT_CELL,
    BMS_POWER,
    BMS_STATE,
    CHARGE_LIMIT,
    CONTACTOR,
    DISCHARGE_LIMIT,
)
from drivers.event import KIND, Event, EventKind, Level
from workbench.session.status import DeviceInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from control.tick import Tick
    from drivers.canbus.dut_map import DutMap
    from drivers.snapshot import Snapshot

SOURCE: Final = "BMS"
LIMITS: Final = {CHARGE_LIMIT: "charge limit", DISCHARGE_LIMIT: "discharge limit"}
CONTACTS: Final = {
    BMS_CONTACTOR: "contactors reported",
    CONTACTOR: "auxiliary contact reads",
}
POSITIONS: Final = {0: "open", 1: "closed"}
LIVE: Final = (BenchState.ARMED, BenchState.RUNNING)
SETTLED_S: Final = 0.5
SETTLED: Final = 0.01  # of the value told last, or 0.1 A: a ramp moves further within `SETTLED_S`
LEAST: Final = 0.05  # of the value told last: a smaller change is told once it has settled
RAMP: Final = 0.25  # of the value told last: a slow ramp is told in such steps
FLOOR_A: Final = 0.1


@dataclass(slots=True)
class LimitChange:
    """Finds the changes of one current limit; a ramp is told at its end, and in steps while it lasts."""

    told_a: float = math.nan
    _last_a: float = math.nan
    _since_s: float = 0.0

    def take_change(self, value_a: float, t_s: float) -> tuple[float, float] | None:
        """Return the value told before and the new one, if there is something to tell."""
        before_a = self.told_a
        if math.isnan(before_a):
            self.told_a = self._last_a = value_a
            return None
        if abs(value_a - self._last_a) > max(SETTLED * abs(before_a), FLOOR_A):
            self._last_a, self._since_s = value_a, t_s
        moved_a = abs(value_a - before_a)
        is_settled = t_s - self._since_s >= SETTLED_S and moved_a > max(LEAST * abs(before_a), FLOOR_A)
        if is_settled or moved_a > max(RAMP * abs(before_a), 2.0 * FLOOR_A) or (value_a == 0.0 != before_a):
            self.told_a = value_a
            return before_a, value_a
        return None


class DeviceEvents:
    """Compares the device's values with those of the turn before; `watch` runs on the loop's thread after each turn."""

    def __init__(self, mapped: DutMap, tell: Callable[[Event], object]) -> None:
        """`tell` records an event."""
        self._tell = tell
        self._words: dict[str, Mapping[int, str]] = {
            channel.name: mapped.words(channel.name) for channel in mapped.channels
        }
        self._healthy_channel, self._healthy = mapped.file.health.channel, mapped.healthy
        self._values: dict[str, float] = {}
        self._limits = {name: LimitChange() for name in LIMITS}
        self.info = DeviceInfo()

    def watch(self, tick: Tick) -> None:
        """Tell what has changed since the turn before."""
        snapshot, is_live = tick.snapshot, tick.state in LIVE
        if self._read(snapshot, BMS_POWER) == 0.0:
            self.forget()
            return
        changed = {name for name in self._watched(snapshot) if self._is_changed(snapshot, name)}
        if changed & {BMS_STATE, BMS_FAULT, BMS_FAULT_CELL, self._healthy_channel}:
            before, self.info = self.info, self._find_info()
            self._tell_state(before, self.info)
        for name, words in CONTACTS.items():
            if name in changed:
                self._tell_contact(words, self._values[name], is_live=is_live)
        for name, limit in self._limits.items():
            value_a = self._read(snapshot, name)
            if not math.isnan(value_a) and (change := limit.take_change(value_a, snapshot.t_s)):
                self._tell_limit(LIMITS[name], *change)

    def forget(self) -> None:
        """Forget all values: the device has no power."""
        if self._values:
            self._values.clear()
            self._limits = {name: LimitChange() for name in LIMITS}
            self.info = DeviceInfo()

    def _watched(self, snapshot: Snapshot) -> list[str]:
        names = dict.fromkeys((BMS_STATE, BMS_FAULT, BMS_FAULT_CELL, self._healthy_channel, *CONTACTS))
        return [name for name in names if name in snapshot.table]

    @staticmethod
    def _read(snapshot: Snapshot, name: str) -> float:
        return float(snapshot.known[snapshot.table.index(name)]) if name in snapshot.table else math.nan

    def _is_changed(self, snapshot: Snapshot, name: str) -> bool:
        """Keep the value if it is known; return whether it differs from the one before; a first contact does not."""
        value = self._read(snapshot, name)
        if math.isnan(value):
            return False
        before = self._values.get(name)
        self._values[name] = value
        return value != before and not (before is None and name in CONTACTS)

    def _word(self, name: str) -> str:
        value = self._values.get(name)
        return "" if value is None else self._words.get(name, {}).get(int(value), f"{value:g}")

    def _find_info(self) -> DeviceInfo:
        health = self._values.get(self._healthy_channel)
        is_faulty = health is not None and health not in self._healthy
        return DeviceInfo(
            state=self._word(BMS_STATE),
            fault=(self._word(BMS_FAULT) or self._word(self._healthy_channel)) if is_faulty else "",
            place=int(self._values.get(BMS_FAULT_CELL, 0.0)) if is_faulty else 0,
        )

    def _tell_state(self, before: DeviceInfo, now: DeviceInfo) -> None:
        if now.state != before.state and before.state:
            data = {KIND: EventKind.DEVICE_STATE, "state": now.state, "before": before.state}
            self._tell(Event(Level.INFO, SOURCE, f"state {before.state} → {now.state}", data))
        if now.fault and (now.fault, now.place) != (before.fault, before.place):
            data = {KIND: EventKind.DEVICE_FAULT, "fault": now.fault, "place": now.place}
            self._tell(Event(Level.ALARM, SOURCE, f"fault {now.fault_words}", data))
        elif before.fault and not now.fault:
            data = {KIND: EventKind.DEVICE_FAULT, "fault": "", "before": before.fault}
            self._tell(Event(Level.INFO, SOURCE, f"fault {before.fault_words} is gone", data))

    def _tell_contact(self, words: str, value: float, *, is_live: bool) -> None:
        position = POSITIONS.get(int(value), f"{value:g}")
        level = Level.WARNING if is_live and value != 1.0 else Level.INFO
        self._tell(
            Event(level, SOURCE, f"{words} {position}", {KIND: EventKind.DEVICE_CONTACTOR, "contactor": position})
        )

    def _tell_limit(self, words: str, before_a: float, now_a: float) -> None:
        data = {KIND: EventKind.DEVICE_LIMIT, "limit": words, "before_a": before_a, "now_a": now_a}
        self._tell(Event(Level.INFO, SOURCE, f"{words} {before_a:.1f} A → {now_a:.1f} A", data))
