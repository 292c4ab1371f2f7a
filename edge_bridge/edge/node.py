"""The edge's side of the protocol: make and parse messages, without clock, network or disk."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from edge_bridge import metrics
from edge_bridge.mqtt import MqttMessage
from edge_bridge.sparkplug import acks, topics, wire
from edge_bridge.sparkplug.aliases import Aliases
from edge_bridge.sparkplug.payload import DataType, Payload, PayloadError, SparkplugMetric
from edge_bridge.sparkplug.topics import MessageKind, Topic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.edge.row import OutboxRow
    from edge_bridge.metrics import Scalar

CHUNK_BYTES: Final = 16_384
MAX_BUNDLE_BYTES: Final = 16 << 20  # of a bundle
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Row ranges that the host has stored, by boot."""

    boots: acks.Acks


@dataclass(frozen=True, slots=True)
class CommandMark:
    """The id of a command, and that of the request by which a person made it."""

    id: str
    request: str


@dataclass(frozen=True, slots=True)
class ResendRequest:
    """Row ranges, by boot, that the host stored once and lacks now; `mark` if a person commands it."""

    boots: acks.Acks
    mark: CommandMark | None = None


@dataclass(frozen=True, slots=True)
class RebirthRequest:
    """The host requests a birth; `mark` if a person commands it."""

    mark: CommandMark | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A desired bundle and its bytes from `offset` on, which may be none."""

    sha256: str
    size: int
    offset: int
    chunk: bytes


@dataclass(frozen=True, slots=True)
class HostState:
    """Whether the host reports that it is online."""

    online: bool


HostMessage: TypeAlias = Acknowledgement | ResendRequest | RebirthRequest | Piece | HostState


@dataclass(frozen=True, slots=True)
class NodeNames:
    """Group and node of the edge, and its host; raise `PayloadError` for a name that no topic can have."""

    group: str
    node: str
    host: str

    def __post_init__(self) -> None:
        for what in ("group", "node", "host"):
            topics.check_name(getattr(self, what), what)


class EdgeNode:
    """Births, data and deaths with their counters; `refused` counts messages that could not be parsed, by reason."""

    def __init__(self, names: NodeNames, bd_seq: int, *, datatypes: bool = True) -> None:
        """`bd_seq` is that of the first connection: one more than the last of the boot before.

        Without `datatypes` data leave them to the birth, which some readers do not support (decision 24).
        """
        self._names, self._datatypes = names, datatypes
        self._next_bd_seq = bd_seq % wire.SEQ_COUNT
        self._bd_seq: int | None = None
        self._seq = 0
        self._host_ms = -1
        self._commands = Aliases.from_birth(metrics.make_birth_metrics({metrics.BD_SEQ: 0}, 0))
        self.refused = Counter[str]()

    @property
    def subscriptions(self) -> tuple[str, ...]:
        return (self._make_topic(MessageKind.NCMD), topics.make_state_topic(self._names.host))

    @property
    def bd_seq(self) -> int | None:
        """Return the `bdSeq` of the current connection."""
        return self._bd_seq

    @property
    def is_born(self) -> bool:
        """Return whether a birth was sent, so that the host can read data."""
        return self._bd_seq is not None

    def make_will(self, now_ms: int) -> MqttMessage:
        """Make the last will of the next connection: a death with its own number."""
        will = self._make_death(self._next_bd_seq, now_ms)
        self._next_bd_seq = (self._next_bd_seq + 1) % wire.SEQ_COUNT
        return will

    def make_birth(self, values: Mapping[str, Scalar], now_ms: int, will: MqttMessage | None = None) -> MqttMessage:
        """Make a birth with every metric; `will` is that of a new connection, None for a rebirth on the same one."""
        if will is not None:
            self._bd_seq = cast("int", wire.decode(will.payload).metrics[0].value)
        self._seq = 0
        declared = metrics.make_birth_metrics({**values, metrics.BD_SEQ: self._bd_seq}, now_ms)
        payload = Payload(now_ms, declared, self._take_seq())
        return MqttMessage(self._make_topic(MessageKind.NBIRTH), wire.encode(payload))

    def make_row(self, row: OutboxRow, now_ms: int) -> MqttMessage:
        """Make a data message of one row."""
        key = {metrics.ROW_BOOT: row.key.boot, metrics.ROW_SEQ: row.key.seq}
        return self._make_data(
            metrics.make_data_metrics({**key, **row.values}, row.t_ms, historical=not row.live), now_ms
        )

    def make_status(self, values: Mapping[str, Scalar], now_ms: int) -> MqttMessage:
        """Make a data message of the status that changed; it is not a row."""
        return self._make_data(metrics.make_data_metrics(values, now_ms), now_ms)

    def disconnect(self) -> None:
        """Mark the connection as lost: the host cannot read data until the next birth."""
        self._bd_seq = None

    def make_death(self, now_ms: int) -> MqttMessage:
        """Make the death of an intended disconnect: the broker drops the will then."""
        return self._make_death(self._bd_seq or 0, now_ms)

    def handle(self, message: MqttMessage) -> list[HostMessage]:
        """Parse a message; count one that cannot be parsed and return nothing for it."""
        try:
            if message.topic == topics.make_state_topic(self._names.host):
                return self._parse_host_state(message.payload)
            if message.topic == self._make_topic(MessageKind.NCMD):
                return self._parse_command(message.payload)
            raise PayloadError("topic", "not a topic of this edge")  # noqa: TRY301  # counted below like the others
        except PayloadError as error:
            self.refused[error.kind] += 1
            return []

    def _parse_command(self, payload: bytes) -> list[HostMessage]:
        values = {name: metric.value for name, metric in self._commands.read(wire.decode(payload)).items()}
        messages: list[HostMessage] = []
        mark = _parse_mark(values)
        acknowledged = values.get(metrics.ACKNOWLEDGED)
        if isinstance(acknowledged, str):
            self._check_host(values.get(metrics.ACKNOWLEDGED_BY))
            messages.append(Acknowledgement(acks.parse_acks(acknowledged)))
        lacking = values.get(metrics.RESEND)
        if isinstance(lacking, str):
            self._check_host(values.get(metrics.ACKNOWLEDGED_BY))
            messages.append(ResendRequest(acks.parse_acks(lacking), mark))
        if values.get(metrics.REBIRTH) is True:
            messages.append(RebirthRequest(mark))
        if metrics.DESIRED in values:
            messages.append(_parse_piece(values))
        if not messages:
            raise PayloadError("command", "not a command for an edge")
        return messages

    def _check_host(self, host: Any) -> None:
        """Raise `PayloadError` if the host is not the one of this edge; a host of an earlier version sends no id."""
        if host is not None and host != self._names.host:
            words = f"{self._names.host} is the host of this edge, not {str(host)[:60]!r}"
            raise PayloadError("other_host", words, key=metrics.ACKNOWLEDGED_BY, value=str(host)[:60])

    def _parse_host_state(self, payload: bytes) -> list[HostMessage]:
        """Parse the host's state; refuse a late will that is older than the latest state of the host."""
        try:
            state: Any = json.loads(payload)
            online, state_ms = state["online"], state["timestamp"]
        except (ValueError, RecursionError, TypeError, KeyError) as error:
            raise PayloadError("state", "the host's state cannot be read") from error
        if type(online) is not bool or type(state_ms) is not int:
            raise PayloadError("state", "the host's state cannot be read")
        if not online and state_ms < self._host_ms:
            raise PayloadError("stale_state", "a host state that is older than the latest one")
        self._host_ms = state_ms
        return [HostState(online)]

    def _make_data(self, values: tuple[SparkplugMetric, ...], now_ms: int) -> MqttMessage:
        payload = Payload(now_ms, values, self._take_seq())
        return MqttMessage(self._make_topic(MessageKind.NDATA), wire.encode(payload, datatypes=self._datatypes))

    def _take_seq(self) -> int:
        seq, self._seq = self._seq, (self._seq + 1) % wire.SEQ_COUNT
        return seq

    def _make_death(self, bd_seq: int, now_ms: int) -> MqttMessage:
        metric = SparkplugMetric(metrics.BD_SEQ, None, DataType.INT64, bd_seq)
        return MqttMessage(self._make_topic(MessageKind.NDEATH), wire.encode(Payload(now_ms, (metric,))), qos=1)

    def _make_topic(self, kind: MessageKind) -> str:
        return str(Topic(self._names.group, kind, self._names.node))


def _parse_mark(values: Mapping[str, Any]) -> CommandMark | None:
    """Parse the id of a command, None for a message without one; raise `PayloadError` for one of another form."""
    number, request = values.get(metrics.COMMAND_ID), values.get(metrics.COMMAND_REQUEST) or ""
    if number is None:
        return None
    if not (isinstance(number, str) and _ID.fullmatch(number)) or (request and not _ID.fullmatch(str(request))):
        raise PayloadError("command_id", "a command has an id of another form", value=str(number)[:60])
    return CommandMark(number, str(request))


def _parse_piece(values: Mapping[str, Any]) -> Piece:
    """Parse a bundle piece; raise `PayloadError` for a hash, a size or an offset that no bundle can have."""
    sha256, size = values[metrics.DESIRED], values.get(metrics.SIZE)
    offset, chunk = values.get(metrics.OFFSET) or 0, values.get(metrics.CHUNK) or b""
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise PayloadError("bundle_hash", "the desired bundle is not named by a SHA-256")
    if size is None or not 0 < size <= MAX_BUNDLE_BYTES:
        raise PayloadError("bundle_size", "a bundle cannot have this size", value=size, bound=MAX_BUNDLE_BYTES)
    if len(chunk) > CHUNK_BYTES or offset + len(chunk) > size:
        raise PayloadError("bundle_chunk", "a bundle piece is outside of the bundle", value=offset, bound=size)
    return Piece(sha256, size, offset, chunk)
