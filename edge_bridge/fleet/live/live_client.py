"""One client of the hub, over any transport that sends and receives text in order."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Final

from drivers.clock import monotonic
from drivers.errors import StoreFailed, Usage
from edge_bridge.fleet.live import messages
from edge_bridge.fleet.live.cursor import EventCursor, parse_cursor
from edge_bridge.fleet.live.live_access import VisibleDevices
from edge_bridge.fleet.live.requests import DeviceScope, SubscribeRequest, UnsubscribeRequest, parse_request
from edge_bridge.fleet.live.ring import ROW_COLUMNS
from edge_bridge.fleet.live.subscription import MOST, LiveSubscription, pick_columns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from edge_bridge.fleet.live.hub import LiveHub
    from edge_bridge.fleet.live.live_access import LiveAccess
    from edge_bridge.fleet.view import FleetView

TICK_S: Final = 0.01  # events of this time share a message
HEARTBEAT_S: Final = 5.0
RECHECK_S: Final = 5.0  # how often what a client may see is looked at again
UNREAD_S: Final = 30.0  # a client that reads nothing for this time is closed
MAX_SUBSCRIPTIONS: Final = 16


class ClientStalled(Exception):  # noqa: N818  # an event, not a defect
    """The client reads nothing."""


class LiveClient:
    """Answers the requests of a client and sends it what it subscribed to."""

    def __init__(
        self,
        hub: LiveHub,
        send: Callable[[str], Awaitable[None]],
        access: LiveAccess,
        *,
        unread_s: float = UNREAD_S,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._hub, self._send_text, self._access = hub, send, access
        self._visible: VisibleDevices | None = VisibleDevices()  # until the first subscription asks
        self._unread_s, self._heartbeat_s = unread_s, heartbeat_s
        self._subscriptions = dict[str, LiveSubscription]()
        self._of_overview = set[str]()
        self._overviews = -1  # the last one that was sent
        self._sent_s = monotonic()
        self._woken = asyncio.Event()

    async def run(self, receive: Callable[[], Awaitable[str]]) -> None:
        """Serve until `receive` raises; raise `ClientStalled` if the client reads nothing."""
        self._hub.add_waker(self._woken.set)
        try:
            await self._send(messages.encode_hello(self._hub.cursor, self._hub.broker, self._heartbeat_s))
            works = (self._answer(receive), self._serve(), self._recheck())
            tasks = [asyncio.ensure_future(work) for work in works]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in tasks:
                    task.cancel()
                for task in tasks:
                    with suppress(asyncio.CancelledError, Exception):
                        await task
        finally:
            self._hub.remove_waker(self._woken.set)
            self._hub.count_readers(-len(self._of_overview))

    async def _send(self, text: str) -> None:
        try:
            async with asyncio.timeout(self._unread_s):
                await self._send_text(text)
        except TimeoutError as error:
            raise ClientStalled from error
        self._sent_s = monotonic()

    # ---- requests

    async def _answer(self, receive: Callable[[], Awaitable[str]]) -> None:
        while True:
            text = await receive()
            try:
                await self._handle(text)
            except (Usage, StoreFailed) as error:
                await self._send(messages.encode_error(error))

    async def _handle(self, text: str) -> None:
        request = parse_request(text)
        if isinstance(request, SubscribeRequest):
            await self._subscribe(request)
        elif isinstance(request, UnsubscribeRequest):
            self._end(request.id)
            await self._send(messages.encode("unsubscribed", id=request.id))
        else:
            await self._send(self._make_heartbeat())

    async def _subscribe(self, request: SubscribeRequest) -> None:
        devices, columns = await self._find(request), _find_columns(request)
        await self._renew_visible()
        self._end(request.id)
        if len(self._subscriptions) >= MAX_SUBSCRIPTIONS:
            what, hint = "a client has too many subscriptions", "unsubscribe from one first"
            raise Usage(what, key="id", value=request.id, bound=MAX_SUBSCRIPTIONS, hint=hint)
        end = self._hub.cursor
        resumed = self._resume(request.from_cursor)
        start = end.number if resumed is None else resumed
        period_s = 1.0 / request.max_rate_hz if request.max_rate_hz else 0.0
        subscription = LiveSubscription(request.id, devices, columns, period_s, start, end.number)
        subscription.limit(None if self._visible is None else self._visible.nodes)
        names = ROW_COLUMNS if columns is None else [ROW_COLUMNS[column] for column in columns]
        cursor = EventCursor(end.run, start)
        await self._send(messages.encode("subscribed", id=request.id, cursor=str(cursor), columns=names))
        if request.from_cursor is not None and resumed is None:
            await self._send(messages.encode_gap(end.run, request.id, None, None, end))
        if resumed is None:
            await self._send_records(subscription, cursor, subscription.devices)
        self._subscriptions[request.id] = subscription
        if request.overview:
            self._of_overview.add(request.id)
            self._hub.count_readers(1)
        self._woken.set()

    def _resume(self, text: str | None) -> int | None:
        """Return the place of a cursor of this run; None for one of another run, or for none."""
        if text is None:
            return None
        cursor = parse_cursor(text)
        if cursor is None:
            raise Usage("is not a cursor", key="from_cursor", value=text, hint="use the cursor of a message")
        known = cursor.run == self._hub.run and cursor.number <= self._hub.ring.end
        return cursor.number if known else None

    async def _send_records(
        self, subscription: LiveSubscription, cursor: EventCursor, devices: frozenset[str] | None
    ) -> None:
        """Send the present state of the devices, in pieces."""
        records = [one for one in self._hub.news.records.values() if devices is None or one.node in devices]
        pieces = iter(records)
        while piece := list(islice(pieces, MOST)):
            await self._send(messages.encode_records(subscription.id, cursor, piece))

    async def _find(self, request: SubscribeRequest) -> frozenset[str] | None:
        scope = request.devices
        if not isinstance(scope, DeviceScope):
            return None if isinstance(scope, str) else frozenset(scope)
        if (scope.site is None) == (scope.group is None):
            raise Usage("name either a site or a group", key="devices", value=str(scope), hint='{"site": "NAME"}')
        found = await asyncio.to_thread(self._access.find_devices, scope)
        if found is None:
            what = f"there is no {'site' if scope.site else 'group'} of this name"
            raise Usage(what, key="devices", value=scope.site or scope.group, hint="list the sites of the API")
        return found

    def _end(self, name: str) -> None:
        self._subscriptions.pop(name, None)
        if name in self._of_overview:
            self._of_overview.discard(name)
            self._hub.count_readers(-1)

    # ---- what the client may see

    async def _recheck(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_S)
            with suppress(StoreFailed):  # then what was found last counts, until the access control cuts the client
                await self._renew_visible()

    async def _renew_visible(self) -> None:
        """Look what the client may see; a device that comes in tells its present state, one that goes says no more."""
        self._visible = visible = await asyncio.to_thread(self._access.find_visible)
        for subscription in tuple(self._subscriptions.values()):
            gained = subscription.limit(None if visible is None else visible.nodes)
            if gained is None or gained:
                at = EventCursor(self._hub.run, subscription.position)
                await self._send_records(subscription, at, gained)

    # ---- events

    async def _serve(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._wait_s()):
                    await self._woken.wait()
            self._woken.clear()
            if await self._send_due():
                await asyncio.sleep(TICK_S)
            elif monotonic() - self._sent_s >= self._heartbeat_s:
                await self._send(self._make_heartbeat())

    def _wait_s(self) -> float:
        now_s = monotonic()
        waits = [one.wait_s(self._hub.ring, now_s) for one in self._subscriptions.values()]
        return max(0.0, min([self._sent_s + self._heartbeat_s - now_s, *(wait for wait in waits if wait is not None)]))

    async def _send_due(self) -> bool:
        """Send what is due; return whether anything was."""
        hub, has_sent = self._hub, False
        for subscription in tuple(self._subscriptions.values()):
            batch = subscription.read(hub.ring, monotonic())
            if batch.missed:
                at = EventCursor(hub.run, batch.missed_from + batch.missed)
                await self._send(messages.encode_gap(hub.run, subscription.id, batch.missed, batch.missed_from, at))
                await self._send_records(subscription, at, subscription.devices)  # changes of states are missed too
                has_sent = True
            if batch.rows or batch.states:
                await self._send(messages.encode_batch(hub.run, subscription, batch))
                has_sent = True
        if self._of_overview and self._overviews != hub.overviews and hub.overview is not None:
            self._overviews = hub.overviews
            await self._send(self._make_overview(hub.overview))
            has_sent = True
        return has_sent

    def _make_overview(self, view: FleetView) -> str:
        if self._visible is None:
            return self._hub.read_overview_text()  # one for all clients
        return messages.encode_overview(view, self._visible).decode()

    def _make_heartbeat(self) -> str:
        return messages.encode("heartbeat", cursor=str(self._hub.cursor))


def _find_columns(request: SubscribeRequest) -> tuple[int, ...] | None:
    if request.metrics is None:
        return None
    try:
        return pick_columns(request.metrics, ROW_COLUMNS)
    except ValueError as error:
        hint = f"known: {', '.join(ROW_COLUMNS)}"
        raise Usage("is not a column of rows", key="metrics", value=str(error), hint=hint) from error
