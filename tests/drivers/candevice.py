"""The other end of the CAN bus in tests."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.canbus.dut_map import read_dut_map
from drivers.canbus.lean_can import can
from tests.drivers.polled import known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.canbus.dut import Dut

MAP = Path(__file__).parents[2] / "fixtures" / "benches" / "pulse24.dut.toml"
MAPPED = read_dut_map(MAP)
CHANNELS = (f"dut-{number}" for number in itertools.count())


class Device:
    """The other end of the bus: says what a test wants said, hears everything."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.bus = can.Bus(interface="virtual", channel=channel, ignore_config=True)
        self._counters: dict[str, int] = {}

    def say(
        self, name: str, values: Mapping[str, float], *, skip: int = 0, broken: bool = False, extended: bool = False
    ) -> None:
        message = MAPPED.messages[name]
        counter = self._counters[name] = self._counters.get(name, -1) + 1 + skip
        payload = bytearray(message.encode(values, counter))
        payload[0] ^= broken
        self.bus.send(can.Message(arbitration_id=message.id, data=payload, is_extended_id=extended))

    def hear(self, name: str, within_s: float = 2.0) -> dict[str, float]:
        """The next frame of that message, proven."""
        message, end_s = MAPPED.messages[name], time.monotonic() + within_s
        while (left_s := end_s - time.monotonic()) > 0:
            frame = self.bus.recv(left_s)
            if frame is not None and frame.arbitration_id == message.id:
                assert message.protection is not None
                assert message.protection.check(message.id, bytes(frame.data))
                return dict(message.decode(bytes(frame.data)))
        raise AssertionError(f"never heard {name}")

    def hears(self, frames: int, within_s: float = 5.0) -> set[str]:
        """Whose the next so many frames are."""
        names = {message.id: name for name, message in MAPPED.messages.items()}
        heard = [self.bus.recv(within_s) for _ in range(frames)]
        return {names[frame.arbitration_id] if frame else "" for frame in heard}

    def forget(self) -> None:
        while self.bus.recv(0.0) is not None:
            pass


def value(dut: Dut, channel: str) -> tuple[float, int]:
    column = [known.name for known in dut.channels].index(channel)
    seen = known(dut)
    return float(seen.values[column]), int(seen.quality[column])


def broken(*_: object, **__: object) -> None:
    raise can.CanOperationError("the adapter was unplugged")
