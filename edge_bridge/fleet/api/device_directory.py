"""All devices of the fleet as of a moment ago: read from the database at most once a second, in slices."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from drivers.clock import monotonic
from edge_bridge import metrics
from edge_bridge.fleet.summary import parse_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.fleet.store.fleet_reader import FleetReader
    from edge_bridge.metrics import Scalar

FRESH_S: Final = 1.0
OLD_S: Final = 5.0
WAIT_S: Final = 0.05  # how long a request waits for a newer list while the one at hand is not older than `OLD_S`
SLICE: Final = 250  # devices; the host's thread in the same process gets the interpreter after each slice
PAUSE_S: Final = 0.0005
TRIPPED, OFFLINE, HELD, ONLINE = "tripped", "offline", "held", "online"  # in the order of the attention they need
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
    """The list, which several threads read; a thread of its own renews it, and looks again at what changed alone."""

    def __init__(self, reader: FleetReader) -> None:
        self._reader, self._lock = reader, threading.Lock()
        self._list = DeviceList()
        self._renewal: Future[None] | None = None
        self._thread: threading.Thread | None = None
        self._known = dict[str, tuple[tuple[Any, ...], DeviceRecord]]()  # what was read of a node, and its record

    def read(self) -> DeviceList:
        """Return the list, renewed if it is older than `FRESH_S`; raise `StoreFailed`.

        Who finds it so starts to renew it, and waits `WAIT_S` for it; the others get the one of before. All wait
        while that is too old.
        """
        listed = self._list
        age_s = monotonic() - listed.read_s
        if age_s <= FRESH_S:
            return listed
        renewal, is_starter = self._start_renewal()
        if age_s > OLD_S or (is_starter and wait([renewal], WAIT_S).done):
            renewal.result()
        return self._list

    def close(self) -> None:
        """Wait for the end of a renewal."""
        if (thread := self._thread) is not None:
            thread.join()

    def _start_renewal(self) -> tuple[Future[None], bool]:
        """Return the renewal that is running, and whether this call started it."""
        with self._lock:
            if self._renewal is not None and not self._renewal.done():
                return self._renewal, False
            self._renewal = renewal = Future[None]()
            self._thread = threading.Thread(target=self._renew, args=(renewal,), name="fleet devices", daemon=True)
            self._thread.start()
            return renewal, True

    def _renew(self, renewal: Future[None]) -> None:
        try:
            self._list = self._read_list()
        except BaseException as error:  # noqa: BLE001  # whoever waits raises it
            renewal.set_exception(error)
        else:
            renewal.set_result(None)

    def _read_list(self) -> DeviceList:
        now_s, after = monotonic(), ""
        known = dict[str, tuple[tuple[Any, ...], DeviceRecord]]()
        while part := self._reader.read_devices(after, SLICE):
            for note, counts in part:
                before = self._known.get(note[0])
                seen = (*note, *counts)
                known[note[0]] = before if before is not None and before[0] == seen else (seen, _make_record(*seen))
            after = part[-1][0][0]
            time.sleep(PAUSE_S)
        self._known = known
        return DeviceList({node: known[node][1] for node in sorted(known)}, now_s)  # a database may sort otherwise


def _make_record(  # the columns of the database
    node: str, online: object, last_ms: int | None, text: str, group: str | None, *counts: int
) -> DeviceRecord:
    status = parse_status(text) or {}
    is_online = bool(online)
    return DeviceRecord(
        node, _find_state(status, online=is_online), is_online, last_ms, status, *counts, group=group or ""
    )


def _find_state(status: Mapping[str, Scalar], *, online: bool) -> str:
    verdict = status.get(metrics.VERDICT)
    if verdict == TRIPPED:
        return TRIPPED
    if not online:
        return OFFLINE
    return HELD if verdict == HELD else ONLINE
