"""Learn the layout of a row from its message, which the strict path has accepted under the birth of its node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_bridge import metrics
from edge_bridge.fleet.columns import COLUMN_OF
from edge_bridge.fleet.node_state import STATUS
from edge_bridge.fleet.row import MAX_SEQ
from edge_bridge.fleet.row_layout import RowLayout, RowSlots, VarintSlot
from edge_bridge.sparkplug.payload import SIGNED_BITS, UNSIGNED_BITS, DataType
from edge_bridge.sparkplug.wire import SEQ_COUNT
from edge_bridge.sparkplug.wire_fields import WireField, find_fields, read_varint

if TYPE_CHECKING:
    from edge_bridge.metrics import Scalar
    from edge_bridge.sparkplug.aliases import Aliases

_TIMESTAMP, _METRICS, _SEQ = 1, 2, 3  # fields of a payload
_ALIAS, _TIME, _DATATYPE, _HISTORICAL, _TRANSIENT, _NULL = 2, 3, 4, 5, 6, 7  # of a metric
_INT, _LONG, _FLOAT, _DOUBLE, _BOOLEAN, _TEXT, _BYTES = 10, 11, 12, 13, 14, 15, 16
_VALUES: Final = frozenset({_INT, _LONG, _FLOAT, _DOUBLE, _BOOLEAN, _TEXT, _BYTES})
_OF_METRIC: Final = _VALUES | {_ALIAS, _TIME, _DATATYPE, _HISTORICAL, _TRANSIENT, _NULL}
_MAX_INT_BYTES, _MAX_BYTES = 4, 9  # of a varint; a longer one may be negative or cut off
_MAX_NUMBER: Final = (1 << 63) - 1
_GAP: Final = frozenset({metrics.GAP_BOOT, metrics.GAP_FIRST, metrics.GAP_LAST})
_CONTINUES, _SAME = 0x80, 0xFF  # the bits of a byte that must be as in the learned message


class _Unusual(Exception):  # noqa: N818  # no error: the strict path reads such a message
    """The message has something that a layout does not describe."""


def learn_layout(data: bytes, aliases: Aliases) -> RowLayout | None:
    """Return the layout of an accepted row; None if the strict path has to read its kind each time."""
    try:
        return _Learner(data, aliases).learn()
    except (_Unusual, ValueError):
        return None


class _Learner:
    def __init__(self, data: bytes, aliases: Aliases) -> None:
        self._data, self._aliases = data, aliases
        self._mask = bytearray([_SAME]) * len(data)
        self._fixed = dict[str, "Scalar"]()
        self._integers, self._doubles = dict[str, VarintSlot](), dict[str, int]()
        self._seq: VarintSlot | None = None
        self._number: VarintSlot | None = None
        self._t_ms: VarintSlot | None = None
        self._boot: tuple[int, int] | None = None
        self._historical = False

    def learn(self) -> RowLayout:
        for field in find_fields(self._data, 0, len(self._data)):
            if field.number == _METRICS:
                self._learn_metric(field)
            elif field.number == _SEQ and self._seq is None:
                self._seq = self._open_varint(field, high=SEQ_COUNT - 1)
            else:
                _check(field.number == _TIMESTAMP)
                self._open_varint(field)
        if self._seq is None or self._number is None or self._t_ms is None or self._boot is None:
            raise _Unusual
        slots = RowSlots(
            seq=self._seq,
            number=self._number,
            t_ms=self._t_ms,
            boot=self._boot,
            historical=self._historical,
            fixed=self._fixed,
            integers=self._integers,
            doubles=self._doubles,
        )
        return RowLayout(self._data, bytes(self._mask), slots)

    def _learn_metric(self, whole: WireField) -> None:
        fields = dict[int, WireField]()
        for field in find_fields(self._data, whole.start, whole.end):
            _check(field.number in _OF_METRIC and field.number not in fields)
            fields[field.number] = field
        _check(_ALIAS in fields)
        name = self._aliases.names[read_varint(self._data, fields[_ALIAS].start)[0]]
        time = self._open_varint(fields[_TIME]) if _TIME in fields else None
        if name == metrics.ROW_SEQ:
            self._t_ms = time
            self._historical = _HISTORICAL in fields and read_varint(self._data, fields[_HISTORICAL].start)[0] != 0
        values = [field for field in fields.values() if field.number in _VALUES]
        if values:
            self._learn_value(name, values[0])
        else:
            self._keep(name, None)

    def _learn_value(self, name: str, field: WireField) -> None:
        _check(name not in _GAP)
        is_shown = name in COLUMN_OF or name in STATUS
        if field.number in {_INT, _LONG}:
            slot = self._open_varint(field, high=_find_highest(self._aliases.types[name]))
            if name == metrics.ROW_SEQ:
                self._number = VarintSlot(slot.start, slot.end, 1, MAX_SEQ)
            else:
                self._integers[name] = slot
        elif field.number in {_FLOAT, _DOUBLE}:
            _check(field.number == _DOUBLE or not is_shown)
            self._open(field)
            if is_shown:
                self._doubles[name] = field.start
        elif name == metrics.ROW_BOOT:
            self._open(field)
            self._boot = field.start, field.end
        else:
            self._keep(name, self._data[field.start : field.end].decode() if is_shown else None)

    def _keep(self, name: str, value: Scalar) -> None:
        if name in COLUMN_OF or name in STATUS:
            self._fixed[name] = value

    def _open(self, field: WireField) -> None:
        self._mask[field.start : field.end] = bytes(field.end - field.start)

    def _open_varint(self, field: WireField, high: int = _MAX_NUMBER) -> VarintSlot:
        _check(field.end - field.start <= (_MAX_INT_BYTES if field.number == _INT else _MAX_BYTES))
        self._mask[field.start : field.end] = bytes([_CONTINUES]) * (field.end - field.start)
        return VarintSlot(field.start, field.end, high=high)


def _find_highest(datatype: DataType) -> int:
    """Return the highest number that this datatype holds in its plain form."""
    if datatype in SIGNED_BITS:
        return (1 << (SIGNED_BITS[datatype] - 1)) - 1
    _check(datatype in UNSIGNED_BITS)
    return min((1 << UNSIGNED_BITS[datatype]) - 1, _MAX_NUMBER)


def _check(is_usual: bool) -> None:  # noqa: FBT001  # the one argument
    if not is_usual:
        raise _Unusual
