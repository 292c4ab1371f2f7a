"""All devices of the load in one asyncio loop: rows are made in turn over each second, and sent when due."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.clock import monotonic
from edge_bridge.sparkplug.wire import SEQ_COUNT
from workbench.measure.fleet_load.load_device import LoadDevice
from workbench.measure.fleet_load.load_outbox import LoadOutbox, count_within
from workbench.measure.fleet_load.packet_writer import PacketWriter, name_device

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TICK_S: Final = 0.01
CONNECTS_PER_S: Final = 500.0
RATE_S: Final = 1.0  # over which the rate of acknowledgements is counted


@dataclass(frozen=True, slots=True)
class LoadState:
    """The load at one time; each device has an acknowledged row that was made at `proven_s` or later."""

    born: int
    produced: int
    waiting: int
    acknowledged_per_s: float
    proven_s: float
    skipped: int  # turns of devices that this process was too late for


class LoadFleet:
    """Devices that make one row a second each."""

    def __init__(self, address: tuple[str, int], devices: int, salt: int) -> None:
        self.outbox, self._writer = LoadOutbox(devices), PacketWriter(devices, salt)
        self._address, self._seqs = address, np.zeros(devices, np.int64)
        self._is_begun = np.zeros(devices, np.bool_)  # a device makes rows from its first birth on
        self._devices: list[LoadDevice] = [
            LoadDevice(place, name_device(place), boot, self, self._open)
            for place, boot in enumerate(self._writer.boots)
        ]
        self._tasks = set[asyncio.Task[None]]()
        self.delays_s = array("d")
        self.is_over = self.is_held = False
        self._acknowledged = deque[tuple[float, int]]()
        self._turned, self._skipped = 0, 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def make_birth(self, place: int, bd_seq: int) -> bytes:
        """Make a birth, after which `seq` begins anew."""
        self._seqs[place], self._is_begun[place] = 1, True
        return self._writer.make_birth(place, int(self.outbox.produced[place]), self.now_ms(), bd_seq)

    def take_acknowledgement(self, place: int, ranges: Sequence[tuple[int, int]]) -> None:
        now_s = monotonic()
        delays_s = self.outbox.acknowledge(place, ranges, now_s)
        self.delays_s.extend(delays_s)
        self._acknowledged.append((now_s, len(delays_s)))

    def read_state(self) -> LoadState:
        """Return the present state."""
        now_s = monotonic()
        while self._acknowledged and self._acknowledged[0][0] < now_s - RATE_S:
            self._acknowledged.popleft()
        return LoadState(
            born=sum(device.is_born for device in self._devices),
            produced=int(self.outbox.produced.sum()),
            waiting=self.outbox.waiting,
            acknowledged_per_s=sum(count for _, count in self._acknowledged) / RATE_S,
            proven_s=float(self.outbox.proven_s.min()),
            skipped=self._skipped,
        )

    def read_produced(self) -> dict[str, int]:
        """Return how many rows each device made, by its boot."""
        return dict(zip(self._writer.boots, self.outbox.produced.tolist(), strict=True))

    async def run(self) -> None:
        """Connect all devices, then turn until it is over."""
        connecting = asyncio.create_task(self._connect())
        began_s = monotonic()
        while not self.is_over:
            await asyncio.sleep(TICK_S)
            self._turn(monotonic() - began_s)
        connecting.cancel()
        for device in self._devices:
            device.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.sleep(TICK_S)

    def _turn(self, passed_s: float) -> None:
        """Let the devices whose turn came make a row and send what is due."""
        count = len(self._devices)
        due = int(passed_s * count)
        if due - self._turned > count:  # a process that stood still for a second does not catch up
            self._skipped += due - self._turned - count
            self._turned = due - count
        places = np.arange(self._turned, due) % count
        self._turned = due
        if not len(places):
            return
        now_s = monotonic()
        if not self.is_held:
            self.outbox.make_rows(places[self._is_begun[places]], self.now_ms(), now_s)
        self._send(places, now_s)

    def _send(self, places: NDArray[np.int64], now_s: float) -> None:
        born = places[[self._is_ready(place) for place in places.tolist()]]
        due = self.outbox.take_due(born, now_s)
        if not len(due.devices):
            return
        seqs = (self._seqs[due.devices] + count_within(due.devices)) % SEQ_COUNT
        np.add.at(self._seqs, due.devices, 1)
        self._seqs[born] %= SEQ_COUNT
        packets = self._writer.make_rows(due.devices, seqs, due.numbers, due.t_ms, due.historical)
        senders: list[int] = due.devices.tolist()
        for place, packet in zip(senders, packets, strict=True):
            self._devices[place].write(packet)

    def _is_ready(self, place: int) -> bool:
        return self._devices[place].can_send

    async def _connect(self) -> None:
        began_s = monotonic()
        for count, device in enumerate(self._devices):
            await asyncio.sleep(began_s + count / CONNECTS_PER_S - monotonic())
            self._open(device)

    def _open(self, device: LoadDevice) -> None:
        if not self.is_over:
            task = asyncio.get_running_loop().create_task(self._try(device))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _try(self, device: LoadDevice) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: device, *self._address)
        except OSError:
            device.retry()
