"""The edge's side of the protocol: messages in, what they mean out; no clock, no wire, no disk."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from edge_bridge.edge import metrics
from edge_bridge.mqtt import Message
from edge_bridge.sparkplug import acks, topics, wire
from edge_bridge.sparkplug.aliases import Aliases
from edge_bridge.sparkplug.payload import DataType, Metric, Payload, PayloadError
from edge_bridge.sparkplug.topics import Kind, Topic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.edge.row import Row, Value

COUNTS: Final = 256  # of `seq` and `bdSeq`
CHUNK_BYTES: Final = 16_384
MOST_BYTES: Final = 16 << 20  # of a bundle
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Rows that the host has stored, by boot."""

    boots: acks.Acks


@dataclass(frozen=True, slots=True)
class Rebirth:
    """The host wants a birth."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A bundle that is desired, and the octets of it from `offset` on, which may be none."""

    sha256: str
    size: int
    offset: int
    chunk: bytes


@dataclass(frozen=True, slots=True)
class Host:
    """Whether the host says that it is there."""

    online: bool


Heard: TypeAlias = Acknowledged | Rebirth | Piece | Host


@dataclass(frozen=True, slots=True)
class Names:
    """Who speaks: group and node, and the host that is listened to; raises `PayloadError` for no name of a topic."""

    group: str
    node: str
    host: str

    def __post_init__(self) -> None:
        for what in ("group", "node", "host"):
            topics.named(getattr(self, what), what)


class Node:
    """Births, data and deaths with their counters; `refused` counts by reason what could not be understood."""

    def __init__(self, names: Names, bd_seq: int) -> None:
        """`bd_seq`: of the first connection, one more than the last one of the boot before."""
        self._names = names
        self._next_bd_seq = bd_seq % COUNTS
        self._bd_seq: int | None = None
        self._seq = 0
        self._host_ms = -1
        self._commands = Aliases.of(metrics.declared({metrics.BD_SEQ: 0}, 0))
        self.refused = Counter[str]()

    @property
    def subscriptions(self) -> tuple[str, ...]:
        return (self._topic(Kind.NCMD), topics.state(self._names.host))

    @property
    def bd_seq(self) -> int | None:
        """Of the connection that stands."""
        return self._bd_seq

    @property
    def born(self) -> bool:
        """Whether data would be understood."""
        return self._bd_seq is not None

    def will(self, now_ms: int) -> Message:
        """The last will of the next connection: a death with a number of its own."""
        will = self._death(self._next_bd_seq, now_ms)
        self._next_bd_seq = (self._next_bd_seq + 1) % COUNTS
        return will

    def birth(self, values: Mapping[str, Value], now_ms: int, will: Message | None = None) -> Message:
        """Every metric; `will` is that of a new connection, None for a rebirth on the same one."""
        if will is not None:
            self._bd_seq = cast("int", wire.decode(will.payload).metrics[0].value)
        self._seq = 0
        declared = metrics.declared({**values, metrics.BD_SEQ: self._bd_seq}, now_ms)
        payload = Payload(now_ms, declared, self._counted())
        return Message(self._topic(Kind.NBIRTH), wire.encode(payload))

    def row(self, row: Row, now_ms: int) -> Message:
        """One row as data."""
        key = {metrics.ROW_BOOT: row.key.boot, metrics.ROW_SEQ: row.key.seq}
        return self._data(metrics.by_alias({**key, **row.values}, row.t_ms, historical=not row.live), now_ms)

    def status(self, values: Mapping[str, Value], now_ms: int) -> Message:
        """What has changed, which is no row."""
        return self._data(metrics.by_alias(values, now_ms), now_ms)

    def down(self) -> None:
        """The connection is gone: nothing is understood until the next birth."""
        self._bd_seq = None

    def death(self, now_ms: int) -> Message:
        """Leaving by intention: the broker drops the will then."""
        return self._death(self._bd_seq or 0, now_ms)

    def hear(self, message: Message) -> list[Heard]:
        """What a message means; one that cannot be understood is counted, and means nothing."""
        try:
            if message.topic == topics.state(self._names.host):
                return self._host(message.payload)
            if message.topic == self._topic(Kind.NCMD):
                return self._command(message.payload)
            raise PayloadError("topic", "not a topic of ours")  # noqa: TRY301  # counted below like the others
        except PayloadError as error:
            self.refused[error.kind] += 1
            return []

    def _command(self, octets: bytes) -> list[Heard]:
        said = {name: metric.value for name, metric in self._commands.read(wire.decode(octets)).items()}
        heard: list[Heard] = []
        acknowledged = said.get(metrics.ACKNOWLEDGED)
        if isinstance(acknowledged, str):
            heard.append(Acknowledged(acks.parse(acknowledged)))
        if said.get(metrics.REBIRTH) is True:
            heard.append(Rebirth())
        if metrics.DESIRED in said:
            heard.append(_piece(said))
        if not heard:
            raise PayloadError("command", "no command that an edge knows")
        return heard

    def _host(self, octets: bytes) -> list[Heard]:
        """An old will that arrives late is older than the word that the host is there, and is not believed."""
        try:
            said: Any = json.loads(octets)
            online, told_ms = said["online"], said["timestamp"]
        except (ValueError, RecursionError, TypeError, KeyError) as error:
            raise PayloadError("state", "the host's state cannot be read") from error
        if type(online) is not bool or type(told_ms) is not int:
            raise PayloadError("state", "the host's state cannot be read")
        if not online and told_ms < self._host_ms:
            raise PayloadError("stale_state", "an old word of the host")
        self._host_ms = told_ms
        return [Host(online)]

    def _data(self, said: tuple[Metric, ...], now_ms: int) -> Message:
        payload = Payload(now_ms, said, self._counted())
        return Message(self._topic(Kind.NDATA), wire.encode(payload, datatypes=False))

    def _counted(self) -> int:
        seq, self._seq = self._seq, (self._seq + 1) % COUNTS
        return seq

    def _death(self, bd_seq: int, now_ms: int) -> Message:
        metric = Metric(metrics.BD_SEQ, None, DataType.INT64, bd_seq)
        return Message(self._topic(Kind.NDEATH), wire.encode(Payload(now_ms, (metric,))), qos=1)

    def _topic(self, kind: Kind) -> str:
        return str(Topic(self._names.group, kind, self._names.node))


def _piece(said: Mapping[str, Any]) -> Piece:
    """Raise `PayloadError` for a hash, a size or a place that no bundle can have."""
    sha256, size = said[metrics.DESIRED], said.get(metrics.SIZE)
    offset, chunk = said.get(metrics.OFFSET) or 0, said.get(metrics.CHUNK) or b""
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise PayloadError("bundle_hash", "a bundle is desired by something that is no SHA-256")
    if size is None or not 0 < size <= MOST_BYTES:
        raise PayloadError("bundle_size", "no bundle has that size", value=size, bound=MOST_BYTES)
    if len(chunk) > CHUNK_BYTES or offset + len(chunk) > size:
        raise PayloadError("bundle_chunk", "a part of a bundle lies outside of it", value=offset, bound=size)
    return Piece(sha256, size, offset, chunk)
