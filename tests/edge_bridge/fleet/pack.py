"""A pack as its node would speak, written for these tests alone, and a fleet's host and store to hear it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from edge_bridge.fleet import commands
from edge_bridge.fleet.events import EventWatch
from edge_bridge.fleet.host import HostApplication, Instant
from edge_bridge.fleet.store.open_store import open_store
from edge_bridge.fleet.store.records import CONFLICT
from edge_bridge.fleet.store.sql_store import SqlStore
from edge_bridge.mqtt import MqttMessage
from edge_bridge.sparkplug import acks, wire
from edge_bridge.sparkplug.payload import DataType, Payload, SparkplugMetric, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from pathlib import Path

    from edge_bridge.fleet.store.port import FleetStore
    from edge_bridge.fleet.store.records import CommitResult

BOOT: Final = "00c0ffee00000001"
START_MS: Final = 1_800_000_000_000
DECLARED: Final = {
    "Row/Boot": DataType.STRING,
    "Row/Seq": DataType.UINT64,
    "Gap/Boot": DataType.STRING,
    "Gap/First": DataType.UINT64,
    "Gap/Last": DataType.UINT64,
    "Pack/Current": DataType.DOUBLE,
    "Pack/Voltage": DataType.DOUBLE,
    "Pack/SoC": DataType.DOUBLE,
    "BMS/State": DataType.INT64,
    "Gate/Verdict": DataType.STRING,
    "Bundle/Sha256": DataType.STRING,
    "Bundle/State": DataType.STRING,
    "Bundle/Reason": DataType.STRING,
    "Bundle/Received": DataType.UINT64,
}
ESTIMATED: Final = {  # of a pack that declares them: `types=DECLARED | ESTIMATED`
    "Pack/SoC Std": DataType.DOUBLE,
    "Pack/SoH": DataType.DOUBLE,
    "Pack/SoH Std": DataType.DOUBLE,
    "Temperature/Max": DataType.DOUBLE,
}
COMMANDED: Final = {"Node Control/Rebirth": DataType.BOOLEAN, "Bundle/Desired": DataType.STRING}
ALIASES: Final = {name: place for place, name in enumerate(DECLARED | ESTIMATED, 1)}


def asked(store: FleetStore, select: str) -> list[tuple[Any, ...]]:
    """What the store's own connection answers."""
    assert isinstance(store, SqlStore)
    connection = store._engine.raw_connection()  # pyright: ignore[reportPrivateUsage]
    try:
        cursor = connection.cursor()
        cursor.execute(select)
        return list(cursor.fetchall()) if cursor.description else []
    finally:
        connection.close()


@dataclass
class Pack:
    """Speaks for one node; `seq` is the place of the next message."""

    name: str = "pack-1"
    boot: str = BOOT
    bd_seq: int = 0
    seq: int = 0
    group: str = "pulsebms"
    types: dict[str, DataType] = field(default_factory=lambda: dict(DECLARED))

    def birth(self, t_ms: int = START_MS, **status: Value) -> MqttMessage:
        said = {name.replace("_", "/"): value for name, value in status.items()}
        metrics = [SparkplugMetric("bdSeq", None, DataType.INT64, self.bd_seq, t_ms)]
        metrics += [SparkplugMetric(name, None, kind, said.get(name), t_ms) for name, kind in COMMANDED.items()]
        metrics += [
            SparkplugMetric(name, ALIASES[name], kind, said.get(name), t_ms) for name, kind in self.types.items()
        ]
        self.seq = 0
        return self._message("NBIRTH", Payload(t_ms, tuple(metrics), self._next()))

    def row(self, number: int, t_ms: int = START_MS, *, historical: bool = False, **values: Value) -> MqttMessage:
        said: dict[str, Value] = {"Row/Boot": self.boot, "Row/Seq": number, "Pack/Voltage": 80.0 + number % 10}
        said |= {name.replace("_", "/"): value for name, value in values.items()}
        return self.data(said, t_ms, historical=historical)

    def data(self, said: dict[str, Value], t_ms: int | None = START_MS, *, historical: bool = False) -> MqttMessage:
        metrics = tuple(
            SparkplugMetric(
                None if name in ALIASES else name,
                ALIASES.get(name),
                (DECLARED | ESTIMATED | COMMANDED)[name],
                value,
                t_ms,
                historical,
            )
            for name, value in said.items()
        )
        return self._message("NDATA", Payload(t_ms, metrics, self._next()))

    def gap(self, number: int, first: int, last: int, boot: str | None = None) -> MqttMessage:
        said: dict[str, Value] = {"Row/Boot": self.boot, "Row/Seq": number}
        return self.data(said | {"Gap/Boot": boot or self.boot, "Gap/First": first, "Gap/Last": last})

    def death(self, bd_seq: int | None = None) -> MqttMessage:
        said = SparkplugMetric("bdSeq", None, DataType.INT64, self.bd_seq if bd_seq is None else bd_seq)
        return self._message("NDEATH", Payload(START_MS, (said,)))

    def _next(self) -> int:
        seq, self.seq = self.seq, (self.seq + 1) % 256
        return seq

    def _message(self, kind: str, payload: Payload) -> MqttMessage:
        octets = wire.encode(payload, datatypes=kind != "NDATA")
        return MqttMessage(f"spBv1.0/{self.group}/{kind}/{self.name}", octets)


class Desk:
    """A host and a store without a broker: what is heard is stored, what would be sent is kept in `sent`."""

    START: Final = Instant(START_MS, 100.0)

    def __init__(
        self,
        path: Path,
        open_store: Callable[[Path | str], FleetStore] = open_store,
        admitted: Container[str] | None = None,
    ) -> None:
        self.path, self.store = path, open_store(path)
        self.host = HostApplication("pulsebms", "fleet", self.store.read_nodes(), admitted=admitted)
        self.events, self.is_connected = EventWatch(), True
        self.now = self.START
        self.sent = list[MqttMessage]()
        self.refused = dict[str, int]()

    def pass_s(self, seconds: float) -> None:
        self.now = Instant(self.now.ms + round(1000 * seconds), self.now.mono_s + seconds)

    def hear(self, *messages: MqttMessage) -> CommitResult:
        for message in messages:
            self.host.handle_message(message, self.now, START_MS)
        batch, outgoing = self.host.drain()
        batch.t_ms = self.now.ms
        batch.events += self.events.find(batch, self.now.ms, is_connected=self.is_connected)
        stored = self.store.commit(batch)
        for (kind, reason), count in (*batch.counts.items(), (CONFLICT, stored.conflicts)):
            if kind == "refused" and count:
                self.refused[reason] = self.refused.get(reason, 0) + count
        self.sent += outgoing
        self.sent += commands.make_acknowledgements("pulsebms", stored.kept, self.now.ms)
        return stored

    def commands(self) -> list[dict[str, Value]]:
        """The commands that were sent since the last call."""
        told = [message for message in self.sent if "/NCMD/" in message.topic]
        self.sent.clear()
        return [{str(one.name): one.value for one in wire.decode(message.payload).metrics} for message in told]

    def acknowledged(self) -> dict[str, set[int]]:
        """Rows by boot that were acknowledged since the last call."""
        found = dict[str, set[int]]()
        for said in self.commands():
            for boot, ranges in acks.parse_acks(str(said.get("Outbox/Acknowledged", ""))).items():
                found.setdefault(boot, set()).update(n for first, last in ranges for n in range(first, last + 1))
        return found

    def rebirths(self) -> int:
        """Births that were asked for since the last call."""
        return sum(said.get("Node Control/Rebirth") is True for said in self.commands())

    def close(self) -> None:
        self.store.close()
