"""What moves the rollouts on: it reads what the devices told, stores the next state, then asks the host to send.

What was stored is sent again after a restart, so nothing depends on the memory of this process.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from drivers.clock import monotonic
from drivers.errors import DocumentChanged, Refused
from edge_bridge import metrics
from edge_bridge.fleet.rollout import DeviceSight, Rollout, advance, stop_sending

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge_bridge.fleet.rollout_book import RolloutBook, StoredRollout
    from edge_bridge.metrics import Scalar

LIST_S: Final = 30.0  # another host may have begun one
SEND_AGAIN_S: Final = 300.0
TRIPPED: Final = "tripped"


def make_sight(status: Mapping[str, Scalar], *, online: bool) -> DeviceSight:
    """Return what a device told, from its last status."""

    def read(name: str) -> str:
        return str(status.get(name) or "")

    return DeviceSight(
        online,
        read(metrics.SHA256),
        read(metrics.DESIRED),
        read(metrics.STATE),
        read(metrics.REASON),
        status.get(metrics.VERDICT) == TRIPPED,
    )


class RolloutDriver:
    """One turn after the other; tests call `turn`, a fleet runs it in `DriverThread`."""

    def __init__(
        self,
        book: RolloutBook,
        see: Callable[[], Mapping[str, DeviceSight]],
        read_bundle: Callable[[str], bytes | None],
        send: Callable[[bytes, str], None],
        now_ms: Callable[[], int],
        *,
        serves: Callable[[str], bool] = lambda _node: True,
    ) -> None:
        """`send` asks the host and raises `Refused` while too much waits there.

        `serves` says whether this host of several has the device: every host moves a rollout on, since only one of them
        can store a step; the one that has the device sends.
        """
        self._serves = serves
        self._book, self._see, self._read_bundle = book, see, read_bundle
        self._send, self._now_ms = send, now_ms
        self._open = dict[str, None]()
        self._listed_s = float("-inf")
        self._sent = dict[tuple[str, str], float]()  # by device and bundle
        self._bundle: tuple[str, bytes] | None = None

    def turn(self) -> None:
        """Move every rollout on; raise `StoreFailed`."""
        if monotonic() - self._listed_s > LIST_S:
            self._listed_s = monotonic()
            self._open.update((one.id, None) for one in self._book.list_rollouts() if one.rollout.is_active)
        self._open.update((number, None) for number in self._book.take_changed())
        seen = self._see() if self._open else dict[str, DeviceSight]()
        for number in list(self._open):
            with suppress(DocumentChanged):  # another host was first
                found = self._book.change(number, lambda one: advance(one.rollout, seen, self._now_ms()))
                if found is None or not found.rollout.is_active:
                    del self._open[number]
                else:
                    self._send_bundles(found)

    def _send_bundles(self, found: StoredRollout) -> None:
        for node, bundle in found.rollout.list_targets().items():
            if not self._serves(node):
                self._sent.pop((node, bundle), None)  # whoever has it sends; if it comes back, it is sent at once
                continue
            if monotonic() - self._sent.get((node, bundle), float("-inf")) < SEND_AGAIN_S:
                continue
            data = self._find_bundle(bundle)
            if data is None:
                self._book.change(found.id, lambda one, bundle=bundle: self._give_up(one.rollout, bundle))
                return
            try:
                self._send(data, node)
            except Refused:
                return  # the host is busy; the next turn goes on
            self._sent[node, bundle] = monotonic()

    def _give_up(self, rollout: Rollout, bundle: str) -> Rollout:
        return stop_sending(rollout, bundle, f"the fleet does not have bundle {bundle[:12]}", self._now_ms())

    def _find_bundle(self, sha256: str) -> bytes | None:
        if self._bundle is None or self._bundle[0] != sha256:
            data = self._read_bundle(sha256)
            if data is None:
                return None
            self._bundle = sha256, data
        return self._bundle[1]
