"""MQTT 3.1.1 in an asyncio loop, for very many small connections of one process: no thread, no queue of its own."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from edge_bridge.broker_address import parse_address
from edge_bridge.mqtt import KEEP_ALIVE_S
from edge_bridge.mqtt_frames import MqttMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

RETRY_S: Final = 1.0
MISC_S: Final = 1.0


class MqttPeer(Protocol):
    """One who uses a connection; all calls come from the loop."""

    @property
    def subscriptions(self) -> Sequence[str]: ...

    def make_will(self) -> MqttMessage:
        """Make the last will of the next connection."""
        ...

    def handle_up(self, will: MqttMessage) -> None:
        """Connected and subscribed."""
        ...

    def handle_down(self) -> None: ...

    def handle(self, message: MqttMessage) -> None: ...


class AsyncMqttLink:
    """A connection that is made again until `run` is cancelled."""

    def __init__(self, url: str, client_id: str, peer: MqttPeer) -> None:
        """Raise `Usage` for an address that is none."""
        self._address, self._client_id, self._peer = parse_address(url), client_id, peer
        self._client: Client | None = None
        self._lost = asyncio.Event()

    def publish(self, message: MqttMessage) -> bool:
        """Send a message; return False while not connected."""
        client = self._client
        if client is None or not client.is_connected():
            return False
        sent = client.publish(message.topic, message.payload, message.qos, message.retain)
        return sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    async def run(self) -> None:
        """Stay connected until this is cancelled; then call `close`."""
        while True:
            with suppress(OSError):  # the broker is not there; try again
                await self._run_connection()
            await asyncio.sleep(RETRY_S)

    def close(self, last: MqttMessage | None = None) -> None:
        """Disconnect after a last message; the broker drops the will."""
        if self._client is not None:
            if last is not None:
                self.publish(last)
            self._lost.set()  # `handle_down` is for a connection that was lost
            self._client.loop_write()
            self._client.disconnect()
            self._client = None

    async def _run_connection(self) -> None:
        loop = asyncio.get_running_loop()
        self._lost.clear()
        will = self._peer.make_will()
        client = self._make_client(loop, will)
        client.connect(*self._address, keepalive=KEEP_ALIVE_S)
        self._client = client
        while not self._lost.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), MISC_S)
            client.loop_misc()
        self._client = None

    def _make_client(self, loop: asyncio.AbstractEventLoop, will: MqttMessage) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=True,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.will_set(will.topic, will.payload, will.qos, will.retain)

        def connect(*_: Any) -> None:
            client.subscribe([(topic, 0) for topic in self._peer.subscriptions])

        def lose(*_: Any) -> None:
            if not self._lost.is_set():
                self._lost.set()
                self._peer.handle_down()

        def go_up(*_: Any) -> None:
            self._peer.handle_up(will)

        client.on_connect = connect
        client.on_subscribe = go_up
        client.on_disconnect = lose
        client.on_message = lambda _client, _data, message: self._peer.handle(
            MqttMessage(message.topic, bytes(message.payload), message.qos, message.retain)
        )
        _watch_socket(client, loop)
        return client


def _watch_socket(client: Client, loop: asyncio.AbstractEventLoop) -> None:
    """Let the loop call paho whenever the socket can be read, and written if there is something to write."""

    def stop_reading(_client: Client, _data: Any, sock: Any) -> None:
        loop.remove_reader(sock)

    def stop_writing(_client: Client, _data: Any, sock: Any) -> None:
        loop.remove_writer(sock)

    client.on_socket_open = lambda _client, _data, sock: loop.add_reader(sock, client.loop_read)
    client.on_socket_close = stop_reading
    client.on_socket_register_write = lambda _client, _data, sock: loop.add_writer(sock, client.loop_write)
    client.on_socket_unregister_write = stop_writing
