"""The loop of an edge: one turn hears the pack, keeps a row, speaks; nothing on the network can hold it up."""

from __future__ import annotations

import math
import secrets
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.canbus.dut import Dut
from drivers.canbus.dut_map import read_dut_map
from drivers.state_file import DamagedFile, MissingFile, read_state, read_whole, remove, write_state
from edge_bridge.edge import metrics
from edge_bridge.edge.begin import begin
from edge_bridge.edge.beside import Beside
from edge_bridge.edge.download import Download
from edge_bridge.edge.keeper import Keeper
from edge_bridge.edge.node import COUNTS, Node
from edge_bridge.edge.offer import Offer
from edge_bridge.edge.outbox import Outbox
from edge_bridge.edge.proof import Sign
from edge_bridge.edge.slots import Slots
from edge_bridge.edge.trip_file import TripFile
from edge_bridge.edge.voice import Voice
from edge_bridge.mqtt import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge_bridge.bundle.runtime import Configured
    from edge_bridge.edge.beside import Turn
    from edge_bridge.edge.clocks import MachineClocks
    from edge_bridge.edge.row import Value
    from edge_bridge.edge.settings import Settings

BOOT_BYTES: Final = 8
HELD_UP_S: Final = 1.0  # later than this the loop goes on from now instead of catching up
LISTEN_S: Final = 0.05
LEAVE_S: Final = 2.0  # for the contactor to open, and for the last acknowledgements


@dataclass(frozen=True)
class Result:
    """What an edge did, over all its boots; `boots` has the highest row number of each."""

    produced: int
    stored: int
    evicted: int
    depth: int
    boots: dict[str, int]
    bundle: dict[str, str]
    outage_s: float
    refused: dict[str, int]


class Edge:
    """Everything that one edge holds; `run` until told to stop, then `close`."""

    def __init__(
        self,
        settings: Settings,
        clocks: MachineClocks,
        say: Callable[[str], None],
        *,
        make_outbox: type[Outbox] = Outbox,
    ) -> None:
        """Open the outbox; raises `Refused`. Nothing is asked of the pack or the broker yet."""
        self._settings, self._clocks, self._say = settings, clocks, say
        boot = secrets.token_hex(BOOT_BYTES)
        self._outbox = make_outbox(settings.outbox, boot, capacity_rows=settings.capacity_rows)
        self._say_notice()
        self._device: tuple[bytes, Dut] | None = None
        self._beside: Beside | None = None
        self._trip = TripFile(settings.trip, say)
        self._said = ""
        self._trouble = ""
        self._newest: Mapping[str, Value] = {}
        slots = Slots(settings.slots)
        allow_sim, trust = settings.allow_sim, settings.trust
        self._keeper = Keeper(slots, settings.work, trust, allow_sim=allow_sim, launch=self._launch, say=say)

    def run(self, stop: Callable[[], bool], duration_s: float | None = None) -> Result:
        """Begin, and turn until `stop` or for `duration_s`; raises `PulseError` for a bundle that may not run."""
        settings = self._settings
        begin(self._keeper, settings, self._clocks.utc(), stop, self._say)
        until_s = math.inf if duration_s is None else self._clocks.now() + duration_s
        download = Download(settings.state)
        if download.notice:
            self._say(download.notice)
        offer = Offer(download, self._keeper, settings.trust, allow_sim=settings.allow_sim, say=self._say)
        node = Node(settings.names, self._first_bd_seq())
        client = f"edge-{settings.names.group}-{settings.names.node}"
        link = Link(settings.broker, client, lambda: node.will(self._clocks.stamp_ms()), node.subscriptions)
        voice = Voice(
            link,
            node,
            self._outbox,
            self._clocks,
            keep_bd_seq=lambda number: write_state(settings.bd_seq, {"bdSeq": number}),
            say=self._say,
        )
        with ExitStack() as held:
            held.callback(link.close)
            held.callback(offer.close)
            try:
                self._turns(link, voice, offer, lambda: stop() or self._clocks.now() >= until_s)
            finally:
                self._leave(link, voice, offer)
        return self._result(voice, node)

    def close(self) -> None:
        """Let go of the pack and the outbox."""
        if self._device is not None:
            self._device[1].close()
        self._outbox.close()

    def _turns(self, link: Link, voice: Voice, offer: Offer, stop: Callable[[], bool]) -> None:
        period_s = 1.0 / self._settings.rate_hz
        due_s = self._clocks.now()
        while not stop():
            self._turn(offer)
            voice.send()
            voice.tell(self._status(offer))
            due_s += period_s
            if self._clocks.now() - due_s > HELD_UP_S:
                due_s = self._clocks.now()
            while (left_s := due_s - self._clocks.now()) > 0.0 and not stop():
                self._listen(link, voice, offer, min(left_s, LISTEN_S))
            self._listen(link, voice, offer, 0.0)

    def _turn(self, offer: Offer) -> None:
        """One row, and what it means for the configuration."""
        turn = self._at_work.turn()
        now_s, now_ms = self._clocks.now(), self._clocks.stamp_ms()
        self._newest = turn.values
        self._outbox.put(turn.values, now_ms, now_s)
        self._outbox.commit(now_ms, now_s)
        self._mention(turn)
        sign = Sign(turn.sign.belief, turn.sign.trip, self._outbox.trouble)
        self._keeper.see(now_s, sign)
        offer.poll(self._clocks.utc(), now_s)

    def _listen(self, link: Link, voice: Voice, offer: Offer, wait_s: float) -> None:
        events = link.poll(wait_s)
        if not events:
            return
        for piece in voice.hear(events, {**self._newest, **self._status(offer)}):
            offer.take(piece)
        voice.send()
        voice.tell(self._status(offer))

    def _leave(self, link: Link, voice: Voice, offer: Offer) -> None:
        """Open the contactor, hear the last acknowledgements, say goodbye."""
        until_s = self._clocks.now() + LEAVE_S
        if self._beside is not None:
            self._beside.leave()
        while self._clocks.now() < until_s and (self._is_closed() or (link.up and self._outbox.depth)):
            self._listen(link, voice, offer, LISTEN_S)
        if self._is_closed():
            self._say(f"the contactor is still closed {LEAVE_S:g} s after open was asked")
        voice.leave()

    def _is_closed(self) -> bool:
        return self._beside is not None and self._beside.contactor_closed()

    @property
    def _at_work(self) -> Beside:
        assert self._beside is not None  # noqa: S101  # `begin` launched one, or raised
        return self._beside

    def _launch(self, configured: Configured) -> None:
        """Put a configuration to work; what it cannot do raises before the old one is touched."""
        told = configured.dut_map.read_bytes() + read_dut_map(configured.dut_map).dbc_hash.encode()
        old = self._device
        same = old is not None and old[0] == told
        dut = old[1] if old is not None and same else Dut(read_dut_map(configured.dut_map), *self._settings.bus)
        beside = Beside(configured, dut, dut, self._clocks, rate_hz=self._settings.rate_hz)
        if self._trip.reason:
            beside.trip(self._trip.reason)
        if not same:
            if old is not None:
                old[1].close()
            dut.start()
            self._device = (told, dut)
        self._beside = beside

    def _mention(self, turn: Turn) -> None:
        """Say what is new: a trip, trouble with the disk."""
        if turn.tripped != self._said:
            self._said = turn.tripped
            self._say(f"the gate tripped: {turn.tripped}; open is asked" if turn.tripped else "the gate is at peace")
        if turn.tripped and not self._keeper.on_probation:
            self._trip.latch(turn.tripped)
        self._trip.save()
        self._say_notice()
        if bool(self._outbox.trouble) != bool(self._trouble):
            self._say(self._outbox.trouble or "the disk takes rows again")
        self._trouble = self._outbox.trouble

    def _say_notice(self) -> None:
        """Say what the outbox could not read."""
        if self._outbox.notice:
            self._say(self._outbox.notice)
            self._outbox.notice = ""

    def _first_bd_seq(self) -> int:
        """One more than the last; where that is lost any number, which is not likely the last one's."""
        path = self._settings.bd_seq
        last = read_state(path, lambda fields: read_whole(fields, "bdSeq"))
        if isinstance(last, DamagedFile):
            self._say(f"{last.sentence}; connections are numbered anew")
            with suppress(OSError):
                remove(path)
            return secrets.randbelow(COUNTS)
        return 0 if isinstance(last, MissingFile) else last + 1

    def _status(self, offer: Offer) -> dict[str, Value]:
        running, outcome = self._keeper.running, self._keeper.outcome
        told = running.verified.bundle.manifest
        return {
            metrics.DEPTH: self._outbox.depth,
            metrics.EVICTED: self._outbox.evicted,
            metrics.SHA256: running.installed.sha256,
            metrics.NAME: told.name,
            metrics.EVIDENCE: told.evidence,
            metrics.SERIAL: told.serial,
            metrics.DESIRED: outcome.sha256,
            metrics.STATE: outcome.state,
            metrics.REASON: outcome.reason,
            metrics.RECEIVED: offer.received,
        }

    def _result(self, voice: Voice, node: Node) -> Result:
        outcome, outbox = self._keeper.outcome, self._outbox
        return Result(
            produced=outbox.produced,
            stored=outbox.stored,
            evicted=outbox.evicted,
            depth=outbox.depth,
            boots=outbox.boots,
            bundle={
                "sha256": self._keeper.running.installed.sha256,
                "state": outcome.state,
                "reason": outcome.reason,
                "offered": outcome.sha256,
            },
            outage_s=voice.outage_s,
            refused=dict(node.refused),
        )
