"""A message of an edge as a whole MQTT packet whose numbers are patched in place, for many devices at once.

The bytes come from the encoder of a real edge; a patched packet is what that encoder makes of the other numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_bridge import metrics
from edge_bridge.sparkplug import wire
from edge_bridge.sparkplug.payload import Payload
from edge_bridge.sparkplug.topics import MessageKind, Topic
from edge_bridge.sparkplug.wire_fields import find_fields, read_varint
from workbench.measure.fleet_load.mqtt_packets import make_publish

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_bridge.metrics import Scalar

    Bytes = NDArray[np.uint8]
    Numbers = NDArray[np.int64]

NODE, BOOT = "load-00000", "0" * 16
T_MS: Final = 1_800_000_000_000  # as long on the wire as the times of this century
STATUS: Final[dict[str, Scalar]] = {  # with the number and the boot of the row, 30 metrics
    metrics.SHA256: "ab" * 32, metrics.NAME: "load", metrics.EVIDENCE: "SIM", metrics.SERIAL: 7,
    metrics.DEPTH: 3, metrics.EVICTED: 0, metrics.VERDICT: "allowed", metrics.VERDICT_REASON: "",
    metrics.CURRENT: -22.0, metrics.VOLTAGE: 93.75, metrics.SOC: 0.63, metrics.SOC_STD: 0.014,
    metrics.CELL_MIN: 3.88, metrics.CELL_MAX: 3.90, metrics.TEMPERATURE: 298.25, metrics.BMS_STATE: 1,
    metrics.BMS_FAULT: 0, metrics.SOH: 0.87, metrics.SOH_STD: 0.012, metrics.SOH_MIN: 0.84, metrics.GROWTH: 0.1,
    metrics.GROWTH_STD: 0.02, metrics.POLICY_STATE: "shadow", metrics.POLICY_STEPS: 100,
    metrics.POLICY_DIFFERENCE: 0.1, metrics.POLICY_VIOLATIONS: 0, metrics.POLICY_INTERVENTIONS: 0,
    metrics.POLICY_OUTSIDE: 0,
}  # fmt: skip
METRICS_OF_ROW: Final = len(STATUS) + 2
_TIMESTAMP, _METRICS, _SEQ = 1, 2, 3  # fields of a payload
_NAME, _ALIAS, _TIME, _LONG, _DOUBLE, _TEXT = 1, 2, 3, 11, 13, 15  # of a metric


@dataclass(frozen=True, slots=True)
class PacketForm:
    """What decides the length of a packet: how many bytes its numbers have; a birth without a row has no number."""

    kind: MessageKind
    seq_bytes: int
    number_bytes: int
    historical: bool = False


@dataclass(frozen=True, slots=True)
class PacketValues:
    """One value of each for every packet; `scale` is the factor of all measured values of a row."""

    nodes: Bytes  # letters of the names
    boots: Bytes
    seqs: Numbers
    numbers: Numbers
    t_ms: Numbers
    bd_seqs: Numbers
    scale: NDArray[np.float64]


class PacketTemplate:
    """Makes packets of one form."""

    def __init__(self, form: PacketForm) -> None:
        self.form = form
        topic = str(Topic("pulsebms", form.kind, NODE))
        payload = _encode(form)
        packet = make_publish(topic, payload)
        self._template = np.frombuffer(packet, np.uint8)
        self._start = len(packet) - len(payload)
        self._node = range(self._start - len(NODE), self._start)
        self._times = list[int]()
        self._doubles, self._base = list[int](), list[float]()
        self._seq = self._number = self._boot = self._bd_seq = -1
        self._find(payload)

    def make(self, values: PacketValues) -> Bytes:
        """Make one packet in each row of an array."""
        data = np.tile(self._template, (len(values.seqs), 1))
        data[:, self._node] = values.nodes
        _write_varint(data, [self._seq], values.seqs, self.form.seq_bytes)
        _write_varint(data, self._times, values.t_ms, _count_bytes(T_MS))
        if self.form.number_bytes:
            data[:, self._boot : self._boot + len(BOOT)] = values.boots
            _write_varint(data, [self._number], values.numbers, self.form.number_bytes)
        if self._bd_seq >= 0:
            _write_varint(data, [self._bd_seq], values.bd_seqs, 1)
        if self.form.kind is MessageKind.NDATA:
            scaled = np.asarray(self._base) * values.scale[:, np.newaxis]
            columns = [place + byte for place in self._doubles for byte in range(8)]
            data[:, columns] = scaled.astype("<f8").view(np.uint8)
        return data

    def _find(self, payload: bytes) -> None:
        for field in find_fields(payload, 0, len(payload)):
            if field.number == _TIMESTAMP:
                self._times.append(self._start + field.start)
            elif field.number == _SEQ:
                self._seq = self._start + field.start
            elif field.number == _METRICS:
                self._find_metric(payload, field.start, field.end)

    def _find_metric(self, payload: bytes, start: int, end: int) -> None:
        fields = {field.number: field for field in find_fields(payload, start, end)}
        self._times.append(self._start + fields[_TIME].start)
        if _ALIAS in fields:
            name = _NAMES[read_varint(payload, fields[_ALIAS].start)[0]]
        else:
            name = payload[fields[_NAME].start : fields[_NAME].end].decode()
        if name == metrics.ROW_SEQ and _LONG in fields:
            self._number = self._start + fields[_LONG].start
        elif name == metrics.ROW_BOOT and _TEXT in fields:
            self._boot = self._start + fields[_TEXT].start
        elif name == metrics.BD_SEQ:
            self._bd_seq = self._start + fields[_LONG].start
        elif _DOUBLE in fields:
            place = fields[_DOUBLE].start
            self._doubles.append(self._start + place)
            self._base.append(float(np.frombuffer(payload[place : place + 8], "<f8")[0]))


_NAMES: Final = {alias: name for name, alias in metrics.ALIASES.items()}


def count_varint_bytes(numbers: Numbers) -> Numbers:
    """Return how many bytes each number has on the wire."""
    found = np.ones(len(numbers), np.int64)
    for place in range(1, 9):
        found += numbers >> 7 * place > 0
    return found


def _encode(form: PacketForm) -> bytes:
    newest: dict[str, Scalar] = (
        {metrics.ROW_BOOT: BOOT, metrics.ROW_SEQ: 1 << 7 * (form.number_bytes - 1)} if (form.number_bytes) else {}
    )
    seq = 0 if form.seq_bytes == 1 else 1 << 7
    if form.kind is MessageKind.NBIRTH:
        declared = metrics.make_birth_metrics({**STATUS, **newest, metrics.BD_SEQ: 0}, T_MS)
    else:
        declared = metrics.make_data_metrics({**newest, **STATUS}, T_MS, historical=form.historical)
    return wire.encode(Payload(T_MS, declared, seq))


def _count_bytes(number: int) -> int:
    return max(1, -(-number.bit_length() // 7))


def _write_varint(data: Bytes, starts: list[int], numbers: Numbers, size: int) -> None:
    """Write a number of `size` bytes at each of the places."""
    for byte in range(size):
        part = numbers >> 7 * byte & 0x7F | (0x80 if byte < size - 1 else 0)
        data[:, [start + byte for start in starts]] = part.astype(np.uint8)[:, np.newaxis]
