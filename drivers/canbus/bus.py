"""The only use of python-can's bus in the workbench: any interface, opened from the bench file alone."""

from __future__ import annotations

from drivers.canbus.lean_can import can
from drivers.errors import LinkDropped


def list_interfaces() -> tuple[str, ...]:
    """Return the interfaces of python-can and of the packages that extend it, by name."""
    return tuple(sorted(can.interfaces.BACKENDS))


def open_bus(interface: str, channel: str, bitrate: int) -> can.BusABC:
    """Open the bus; raise `LinkDropped` with the adapter's message. No configuration file of the machine is read."""
    try:
        return can.Bus(interface=interface, channel=channel, bitrate=bitrate, ignore_config=True)
    except Exception as error:  # adapters raise any exception of their vendors
        raise LinkDropped(
            f"cannot be opened: {error}", where=f"{interface} {channel}", hint="check adapter, channel and driver"
        ) from error
