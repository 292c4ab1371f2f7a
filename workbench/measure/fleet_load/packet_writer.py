"""Births and rows of all devices as MQTT packets, many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_bridge.sparkplug.topics import MessageKind
from workbench.measure.fleet_load.packet_template import (
    BOOT,
    NODE,
    PacketForm,
    PacketTemplate,
    PacketValues,
    count_varint_bytes,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.measure.fleet_load.packet_template import Numbers

WAVE_ROWS: Final = 600.0  # period of the made-up values
WAVE: Final = 0.05  # how far they swing


def name_device(place: int) -> str:
    """Return the name of a device; all have the same length."""
    return f"{NODE[:-5]}{place:05d}"


def name_boot(place: int, salt: int) -> str:
    """Return the boot of a device; `salt` tells one run from another."""
    return f"{salt % (1 << 32):08x}{place:08x}"


class PacketWriter:
    """Knows names and boots of the devices, and the templates of all forms that came up."""

    def __init__(self, devices: int, salt: int) -> None:
        self.boots = [name_boot(place, salt) for place in range(devices)]
        names = "".join(map(name_device, range(devices))).encode()
        self._nodes = np.frombuffer(names, np.uint8).reshape(-1, len(NODE))
        self._boots = np.frombuffer("".join(self.boots).encode(), np.uint8).reshape(-1, len(BOOT))
        self._templates = dict[PacketForm, PacketTemplate]()

    def make_birth(self, device: int, number: int, t_ms: int, bd_seq: int) -> bytes:
        """Make the birth of a device whose newest row is `number`, 0 for none."""
        one = np.array([device])
        size = int(count_varint_bytes(np.array([number]))[0]) if number else 0
        values = self._make_values(one, np.zeros(1, np.int64), np.array([number]), np.array([t_ms]), bd_seq)
        return self._find(PacketForm(MessageKind.NBIRTH, 1, size)).make(values)[0].tobytes()

    def make_rows(
        self, devices: Numbers, seqs: Numbers, numbers: Numbers, t_ms: Numbers, historical: NDArray[np.bool_]
    ) -> list[bytes]:
        """Make the packet of each row, in the given order."""
        found: list[Any] = [b""] * len(devices)
        sizes = count_varint_bytes(numbers)
        codes = (sizes * 2 + (seqs >> 7)) * 2 + historical
        for code in np.unique(codes).tolist():
            places = np.flatnonzero(codes == code)
            form = PacketForm(MessageKind.NDATA, 1 + (code >> 1 & 1), code >> 2, bool(code & 1))
            values = self._make_values(devices[places], seqs[places], numbers[places], t_ms[places], 0)
            for place, packet in zip(places.tolist(), self._find(form).make(values), strict=True):
                found[place] = packet.tobytes()
        return found

    def _make_values(
        self, devices: Numbers, seqs: Numbers, numbers: Numbers, t_ms: Numbers, bd_seq: int
    ) -> PacketValues:
        scale = 1.0 + WAVE * np.sin(2.0 * np.pi * numbers / WAVE_ROWS + devices)  # a resent row has the same values
        bd_seqs = np.full(len(devices), bd_seq)
        return PacketValues(self._nodes[devices], self._boots[devices], seqs, numbers, t_ms, bd_seqs, scale)

    def _find(self, form: PacketForm) -> PacketTemplate:
        found = self._templates.get(form)
        if found is None:
            found = self._templates[form] = PacketTemplate(form)
        return found
