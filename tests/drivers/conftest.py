"""A device under test on python-can's virtual bus, and the driver that listens to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.canbus.dut import Dut
from tests.drivers.candevice import CHANNELS, MAP, Device
from tests.drivers.polled import until

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture
def device() -> Generator[Device]:
    made = Device(next(CHANNELS))
    yield made
    made.bus.shutdown()


@pytest.fixture
def dut(device: Device) -> Generator[Dut]:
    opened = Dut.open(MAP, "virtual", device.channel, 500_000)
    until(lambda: opened.health().detail != "opening the bus")
    yield opened
    opened.close()
