"""All devices of the fleet as of a moment ago: read from the database at most once a second."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from drivers.clock import monotonic
from edge_bridge import metrics
from edge_bridge.fleet.summary import parse_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.fleet.store.fleet_reader import FleetReader
    from edge_bridge.metrics import Scalar

FRESH_S: Final = 1.0
OLD_S: Final = 5.0
TRIPPED, OFFLINE, HELD, ONLINE = "tripped", "offline", "held", "online"  # in the order of the attention they need
_NOTHING: Final = (0, 0, 0)
STATES: Final[tuple[str, ...]] = (TRIPPED, OFFLINE, HELD, ONLINE)


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """One node: its last status, by metric name, and its rows; `state` is one of `STATES`."""

    node: str
    state: str
    online: bool
    last_ms: int | None
    status: Mapping[str, Scalar]
    produced: int
    stored: int
    named: int
    group: str = ""  # unknown for a node of an earlier version, until its next birth

    @property
    def missing(self) -> int:
        return max(0, self.produced - self.stored - self.named)


@dataclass(frozen=True)
class DeviceList:
    """The devices at one moment, by name."""

    devices: Mapping[str, DeviceRecord] = field(default_factory=dict[str, DeviceRecord])
    read_s: float = float("-inf")

    @cached_property
    def counts(self) -> dict[str, int]:
        """Return how many devices are in each state."""
        counts = Counter(device.state for device in self.devices.values())
        found: dict[str, int] = {state: counts[state] for state in STATES}
        return found


class DeviceDirectory:
    """The list, which several threads read; one of them renews it."""

    def __init__(self, reader: FleetReader) -> None:
        self._reader, self._lock = reader, threading.Lock()
        self._list = DeviceList()
        self._statuses = dict[str, tuple[str, "Mapping[str, Scalar]"]]()  # text and content, since few texts change

    def read(self) -> DeviceList:
        """Return the list, renewed if it is older than `FRESH_S`; raise `StoreFailed`.

        While one thread renews it, the others get the one of before, unless that is too old.
        """
        age_s = monotonic() - self._list.read_s
        if age_s <= FRESH_S or not self._lock.acquire(blocking=age_s > OLD_S):
            return self._list
        try:
            if monotonic() - self._list.read_s > FRESH_S:
                self._list = self._read_list()
            return self._list
        finally:
            self._lock.release()

    def _read_list(self) -> DeviceList:
        now_s = monotonic()
        counts = {node: tuple(map(int, numbers)) for node, *numbers in self._reader.read_row_counts()}
        devices, statuses = list["DeviceRecord"](), dict[str, tuple[str, "Mapping[str, Scalar]"]]()
        for node, online, last_ms, text, group in self._reader.read_notes():
            known = self._statuses.get(node)
            status = known[1] if known is not None and known[0] == text else parse_status(text) or {}
            statuses[node] = text, status
            state = _find_state(status, online=bool(online))
            devices.append(
                DeviceRecord(node, state, bool(online), last_ms, status, *counts.get(node, _NOTHING), group=group or "")
            )
        self._statuses = statuses
        return DeviceList({device.node: device for device in sorted(devices, key=_by_name)}, now_s)


def _by_name(device: DeviceRecord) -> str:
    return device.node


def _find_state(status: Mapping[str, Scalar], *, online: bool) -> str:
    verdict = status.get(metrics.VERDICT)
    if verdict == TRIPPED:
        return TRIPPED
    if not online:
        return OFFLINE
    return HELD if verdict == HELD else ONLINE
