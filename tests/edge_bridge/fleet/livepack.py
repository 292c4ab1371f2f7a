"""A pack on a real broker: rows wait in `outbox` until they are acknowledged, and are sent again until then."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import TYPE_CHECKING, Final

from edge_bridge.mqtt import LinkUp, MqttLink, MqttMessage
from edge_bridge.sparkplug import acks, wire
from tests.edge_bridge.fleet.pack import BOOT, Pack

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.sparkplug.payload import Value

AGAIN_S: Final = 0.5
AT_ONCE: Final = 50


class LivePack:
    """Turns in a thread of its own until `close`; `produce` makes rows. It runs a bundle that is sent, or `refuses`."""

    def __init__(self, url: str, name: str = "pack-1", refuses: str = "", identity: Path | None = None) -> None:
        self.pack = Pack(name)
        self.outbox = dict[int, float]()  # when each was sent last
        self.produced = 0
        self.status: dict[str, Value] = {"Bundle/Sha256": "00" * 32}
        self.received = b""
        self._refuses = refuses
        self._bd_seq = -1
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._born = False
        self._link = MqttLink(url, f"edge-{name}", self._will, [f"spBv1.0/pulsebms/NCMD/{name}"], identity)
        self._thread = threading.Thread(target=self._run, name=f"pack {name}", daemon=True)
        self._thread.start()

    def produce(self, count: int) -> None:
        with self._lock:
            for _ in range(count):
                self.produced += 1
                self.outbox[self.produced] = 0.0

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._link.publish(self.pack.death())
        self._link.close()

    def _will(self) -> MqttMessage:
        self._bd_seq = (self._bd_seq + 1) % 256
        death = self.pack.death(self._bd_seq)
        return MqttMessage(death.topic, death.payload, qos=1)

    def _run(self) -> None:
        while not self._closing.is_set():
            for event in self._link.poll(0.02):
                if isinstance(event, LinkUp):
                    assert event.will is not None
                    self.pack.bd_seq = int(wire.decode(event.will.payload).metrics[0].value or 0)
                    self._birth()
                elif isinstance(event, MqttMessage):
                    self._obey({str(one.name): one.value for one in wire.decode(event.payload).metrics})
            if self._born:
                self._send()

    def _birth(self) -> None:
        said = {name.replace("/", "_"): value for name, value in self.status.items()}
        said |= {"Row_Boot": BOOT, "Row_Seq": self.produced} if self.produced else {}
        self._born = self._link.publish(self.pack.birth(int(time.time() * 1000), **said))

    def _obey(self, said: dict[str, Value]) -> None:
        if said.get("Node Control/Rebirth"):
            self._birth()
        with self._lock:
            for boot, ranges in acks.parse_acks(str(said.get("Outbox/Acknowledged") or "")).items():
                assert boot == BOOT
                for first, last in ranges:
                    for number in range(first, last + 1):
                        self.outbox.pop(number, None)
        if "Bundle/Desired" in said:
            self._take(said)

    def _take(self, said: dict[str, Value]) -> None:
        chunk, sha256 = said["Bundle/Chunk"], said["Bundle/Desired"]
        assert isinstance(chunk, bytes)
        if sha256 != self.status.get("Bundle/Desired"):
            self.received = b""
        if said["Bundle/Offset"] == len(self.received):
            self.received += chunk
        self.status |= {"Bundle/Desired": sha256, "Bundle/Received": len(self.received), "Bundle/State": "desired"}
        if self._refuses:
            self.status |= {"Bundle/State": "refused", "Bundle/Reason": self._refuses}
        elif len(self.received) == said["Bundle/Size"]:
            assert hashlib.sha256(self.received).hexdigest() == sha256
            self.status |= {"Bundle/State": "healthy", "Bundle/Sha256": sha256}
        self._link.publish(self.pack.data(dict(self.status), int(time.time() * 1000)))

    def _send(self) -> None:
        now_s = time.monotonic()
        with self._lock:
            due = [number for number, sent_s in self.outbox.items() if now_s - sent_s > AGAIN_S]
            for number in sorted(due, reverse=True)[:AT_ONCE]:
                if self._link.publish(
                    self.pack.row(number, int(time.time() * 1000), historical=number < self.produced)
                ):
                    self.outbox[number] = now_s
