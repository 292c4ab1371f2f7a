"""MQTT 3.1.1 in one place: a `MqttLink` stays connected in its own thread and never blocks its caller."""

from __future__ import annotations

import select
import socket
import threading
from collections import deque
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, cast

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from drivers.clock import monotonic
from drivers.errors import PulseError, Refused
from edge_bridge.broker_address import check_protection, parse_address
from edge_bridge.identity import tls
from edge_bridge.keep_alive import PING, KeepAlive
from edge_bridge.mqtt_events import MAX_QUEUED, EventQueue, LinkDown, LinkEvent, LinkUp
from edge_bridge.mqtt_frames import FramedSocket, MqttMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from paho.mqtt.client import MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

KEEP_ALIVE_S: Final = 5
CONNECT_TIMEOUT_S: Final = 2.0  # for TCP, and again for the broker's answer
BACKOFF_S: Final = (0.2, 5.0)
CLOSE_TIMEOUT_S: Final = 1.0  # for what was published before `close`
LINGER_S: Final = 0.2  # at least, for the broker to read it
_SELECT_S: Final = 0.2
_MAX_PACKETS: Final = 100  # that are queued at once
_MAX_READS: Final = 50  # times that many, before the other direction is served
_OK: Final = MQTTErrorCode.MQTT_ERR_SUCCESS


def _handle_packets(client: _FramedClient, packets: Iterator[bytes]) -> MQTTErrorCode:
    for packet in packets:
        client.framed.offer(packet)
        if (code := client.loop_read()) != _OK:
            return code
    return _OK


class _FramedClient(Client):
    """paho's client on a `FramedSocket`."""

    framed: FramedSocket

    def _create_socket(self) -> Any:
        self.framed = FramedSocket(super()._create_socket())  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType, reportAttributeAccessIssue]
        return self.framed


class MqttLink:
    """A link that connects, subscribes to `subscriptions` and reconnects, 0.2 s up to 5 s apart, until `close`.

    The constructor raises `Usage` at once, and `Refused` for an `identity` folder that cannot serve. The folder is read
    again at each connect, so that a renewed certificate is used without a restart.

    The link's thread calls `will` before each connect, because Sparkplug requires a new one for each. Nothing is
    sent on a connection before `poll` returned its `LinkUp`, so that a birth is the first message at the broker.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        will: Callable[[], MqttMessage | None] | None = None,
        subscriptions: Sequence[str] = (),
        identity: Path | None = None,
    ) -> None:
        self._address, self._identity = parse_address(url), identity
        check_protection(url, identity)
        self._client_id, self._next_will, self._subscriptions = client_id, will, tuple(subscriptions)
        self._events = EventQueue()
        self._outgoing = deque[MqttMessage]()
        self._lock = threading.Lock()  # guards the three below and `_outgoing`
        self._up = False
        self._number = 0  # of the connection
        self._seen_number = 0  # the number of the last `LinkUp` that `poll` returned
        self._will: MqttMessage | None = None
        self._reason = ""
        self._unacknowledged = deque[MQTTMessageInfo]()  # of QoS 1
        self._has_more = False  # whether more may be received than `select` sees
        self._alive = KeepAlive(KEEP_ALIVE_S, monotonic())
        self._closing = threading.Event()
        self._wake_r, self._wake_w = socket.socketpair()
        self._wake_r.settimeout(0.0)
        self._wake_w.settimeout(0.0)
        self._thread = threading.Thread(target=self._run, name=f"mqtt {client_id}", daemon=True)
        self._thread.start()

    @property
    def is_up(self) -> bool:
        """Return whether a message published now would be sent."""
        return self._up and self._seen_number == self._number

    @property
    def has_events(self) -> bool:
        """Return whether `poll` would return at once."""
        return len(self._events) > 0

    @property
    def queued(self) -> int:
        """Return how many events wait for `poll`."""
        return len(self._events)

    @property
    def queued_bytes(self) -> int:
        """Return the size of the messages that wait for `poll`."""
        return self._events.size

    def poll(self, wait_s: float = 0.0) -> list[LinkEvent]:
        """Return the events since the last call, in order; wait up to `wait_s` for the first."""
        was_full = self._events.is_full
        found = self._events.take(wait_s)
        if was_full:
            self._wake()  # the network may go on
        for event in found:
            if isinstance(event, LinkUp):
                self._seen_number = event.number
        return found

    def publish(self, message: MqttMessage) -> bool:
        """Queue a message to be sent; return False if not connected or if the queue is full. Never block."""
        return self.publish_all([message]) == 1

    def publish_all(self, messages: Sequence[MqttMessage]) -> int:
        """Queue messages in their order, as many as the queue takes; return how many."""
        with self._lock:
            taken = max(0, MAX_QUEUED - len(self._outgoing)) if self.is_up else 0
            self._outgoing += messages[:taken]
        if taken:
            self._wake()
        return min(taken, len(messages))

    def close(self) -> None:
        """Send the queue, within a second, and disconnect; the broker drops the will. A second call does nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._wake()
        self._thread.join()
        self._wake_r.close()
        self._wake_w.close()

    def _wake(self) -> None:
        with suppress(OSError):  # full: the thread wakes anyway
            self._wake_w.send(b"\0")

    def _run(self) -> None:
        pause_s, is_reported = BACKOFF_S[0], False
        while not self._closing.is_set():
            reason = self._run_connection()
            with self._lock:
                was_up, self._up = self._up, False
                self._outgoing.clear()
            if was_up:
                pause_s = BACKOFF_S[0]
            if was_up or not is_reported:
                self._events.put([LinkDown(reason)])
                is_reported = True
            self._closing.wait(pause_s)
            pause_s = min(2.0 * pause_s, BACKOFF_S[1])

    def _run_connection(self) -> str:
        """Run one connection from CONNECT to its end; return why it ended. Only this thread calls paho."""
        self._reason = "the broker does not answer"
        self._unacknowledged.clear()
        self._has_more = False
        client = self._make_client()
        try:
            self._protect(client)
            client.connect(*self._address, keepalive=KEEP_ALIVE_S)
            self._alive = KeepAlive(KEEP_ALIVE_S, monotonic())
            answer_by_s = monotonic() + CONNECT_TIMEOUT_S
            while self._step(client):
                if self._closing.is_set():
                    self._disconnect(client)
                    break
                if not self._up and monotonic() > answer_by_s:
                    break
        except PulseError as error:
            self._reason = str(error)
        except OSError as error:
            self._reason = tls.explain(error, self._address[0])
        except Exception as error:  # noqa: BLE001  # bytes from outside that make paho fail end only the connection
            self._reason = f"the received bytes are not MQTT: {error}"
        if (left := client.socket()) is not None:
            left.close()
        return self._reason

    def _make_client(self) -> _FramedClient:
        client = _FramedClient(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=True,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(0)  # no bound: messages wait in the link's queue, not in paho
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        self._will = self._next_will() if self._next_will else None
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, self._will.qos, self._will.retain)
        return client

    def _protect(self, client: _FramedClient) -> None:
        """Use TLS with the certificate of this machine as it is now; raise `PulseError` if that cannot serve."""
        if self._identity is None:
            return
        if trouble := tls.find_own_trouble(self._identity):
            raise Refused(trouble)
        client.tls_set_context(tls.make_client_context(self._identity))  # pyright: ignore[reportUnknownMemberType]  # paho leaves it open

    def _step(self, client: _FramedClient) -> bool:
        """Wait for either side, read and write; return False when the connection has ended."""
        link = client.socket()
        if link is None:
            return False
        is_full = self._events.is_full  # then the network has to wait
        reading = [self._wake_r] if is_full else [self._wake_r, link]
        writing = [link] if client.want_write() or client.framed.has_unsent else []
        readable, writable, _ = select.select(
            reading, writing, [], 0.0 if self._has_more and not is_full else _SELECT_S
        )
        if self._wake_r in readable:
            self._wake_r.recv(4096)
        code = _OK
        if link in readable or (self._has_more and not is_full):
            code = self._read(client)
        if code == _OK and link in writable:
            code = client.loop_write()
        if code == _OK:
            self._send(client)
        if not self._keep_alive(client, is_full=is_full):
            return False
        client.framed.flush()
        while self._unacknowledged and self._unacknowledged[0].is_published():
            self._unacknowledged.popleft()
        return code == _OK

    def _keep_alive(self, client: _FramedClient, *, is_full: bool) -> bool:
        """Send a ping when one is due; return whether the broker still lives."""
        now_s = monotonic()
        if is_full:
            self._alive.note_received(now_s)  # something may have come that is not read
        if self._alive.is_due(now_s):
            with suppress(BlockingIOError):  # so much waits that the broker needs no ping
                client.framed.send(PING)
        if self._alive.is_lost(now_s):
            self._reason = "the broker is silent"
            return False
        return True

    def _read(self, client: _FramedClient) -> MQTTErrorCode:
        """Read what the network has; plain messages go to the queue at once, in their order with all others."""
        self._has_more = True  # in TLS or in pieces that were received, which `select` does not see
        for _ in range(_MAX_READS):
            if self._events.is_full:
                return _OK
            packets = client.framed.cut(_MAX_PACKETS)
            if not packets:
                if not client.framed.receive():
                    self._has_more = False
                    return client.loop_read()  # paho notices the end of the connection
                self._alive.note_received(monotonic())
            for kind, some in groupby(packets, type):
                if kind is MqttMessage:
                    self._events.put(cast("Iterator[MqttMessage]", some))
                elif (code := _handle_packets(client, cast("Iterator[bytes]", some))) != _OK:
                    return code
        return _OK

    def _send(self, client: _FramedClient) -> None:
        while not client.want_write():
            try:
                message = self._outgoing.popleft()
            except IndexError:
                return
            if not message.qos:
                if not client.framed.send_message(message):
                    self._outgoing.appendleft(message)
                    return
                continue
            sent = client.publish(message.topic, message.payload, message.qos, message.retain)
            if sent.rc == _OK:
                self._unacknowledged.append(sent)

    def _disconnect(self, client: _FramedClient) -> None:
        until_s = monotonic() + CLOSE_TIMEOUT_S
        while (
            self._outgoing or client.want_write() or client.framed.has_unsent or self._unacknowledged
        ) and monotonic() < until_s:
            if not self._step(client):
                break
        client.framed.linger_s = max(LINGER_S, until_s - monotonic())
        client.disconnect()
        self._reason = "closed"

    def _on_connect(self, client: Client, userdata: Any, flags: Any, reason_code: ReasonCode, properties: Any) -> None:
        del userdata, flags, properties
        if reason_code.is_failure:
            self._reason = f"the broker refused the connection: {reason_code}"
        elif self._subscriptions:
            client.subscribe([(topic, 0) for topic in self._subscriptions])
        else:
            self._mark_up()

    def _on_subscribe(
        self, client: Client, userdata: Any, mid: int, reason_codes: list[ReasonCode], properties: Any
    ) -> None:
        del userdata, mid, properties
        refused = [topic for topic, code in zip(self._subscriptions, reason_codes, strict=False) if code.is_failure]
        if refused:
            self._reason = f"the broker refused the subscription to {', '.join(refused)}"
            client.disconnect()
        else:
            self._mark_up()

    def _mark_up(self) -> None:
        with self._lock:
            self._up, self._number = True, self._number + 1
        self._reason = "the connection was lost"
        self._events.put([LinkUp(self._will, self._number)])

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        del client, userdata
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # not a valid topic; the reader of topics counts it
        self._events.put([MqttMessage(topic, bytes(message.payload), message.qos, message.retain)])
