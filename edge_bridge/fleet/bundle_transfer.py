"""The transfer of a bundle to one node: send pieces from where the node's download ends, then follow its status.

A pure state machine: the node's status and the time in, pieces out (docs/fleet-protocol.md).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.errors import Usage
from edge_bridge import metrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from edge_bridge.fleet.node_state import NodeState
    from edge_bridge.metrics import Scalar
    from edge_bridge.sparkplug.payload import Value

CHUNK_BYTES: Final = 16_384
MAX_IN_FLIGHT: Final = 4  # pieces in flight at once
RESEND_S: Final = 3.0  # without an answer, send again from where the node's download ends; then twice as late
MAX_RESEND_S: Final = 48.0
STALE_S: Final = 15.0  # after this time the result of an earlier attempt counts as the result of this one
MAX_BYTES: Final = 16 << 20

WAITING, HEALTHY, REFUSED, REVERTED, REPLACED = "waiting", "healthy", "refused", "reverted", "replaced"
_FINISHED: Final = (HEALTHY, REFUSED, REVERTED, REPLACED)


@dataclass(frozen=True, slots=True)
class TransferProgress:
    """The progress of a transfer: `state` as the node reports it, `waiting` before its first answer."""

    node: str
    sha256: str
    size: int
    received: int
    state: str
    reason: str

    @property
    def is_over(self) -> bool:
        return self.state in _FINISHED

    @property
    def is_ok(self) -> bool:
        return self.state == HEALTHY


def read_bundle(path: Path) -> bytes:
    """Read the bytes of a bundle file; raise `Usage` for a file that cannot be read or sent."""
    try:
        size = path.stat().st_size
        data = path.read_bytes() if 0 < size <= MAX_BYTES else b""
    except OSError as error:
        words = f"cannot be read: {error.strerror}"
        raise Usage(words, where=str(path), key="send", value=str(path), hint="name a bundle file") from error
    if not data:
        words = f"has {size} bytes; a bundle has up to {MAX_BYTES}"
        raise Usage(words, where=str(path), key="send", value=size, bound=MAX_BYTES, hint="name a bundle file")
    return data


def hash_bundle(data: bytes) -> str:
    """Return the name of a bundle on the wire."""
    return hashlib.sha256(data).hexdigest()


class BundleTransfer:
    """The transfer of one bundle to one node."""

    def __init__(self, node: str, data: bytes, status: Mapping[str, Scalar], now_s: float) -> None:
        """`status` is the node's last one; ignore the failure of an earlier attempt with this bundle in it."""
        self._node, self._data = node, data
        self._sha256 = hash_bundle(data)
        self._received = self._sent = 0
        self._state, self._reason = WAITING, ""
        self._resend_at_s, self._resend_s = now_s, RESEND_S
        self._earlier = self._find_earlier_end(status)
        self._earlier_until_s: float | None = None

    @property
    def progress(self) -> TransferProgress:
        return TransferProgress(self._node, self._sha256, len(self._data), self._received, self._state, self._reason)

    def update(self, status: Mapping[str, Scalar], now_s: float) -> None:
        """Update the transfer with the node's present status."""
        if self._state in _FINISHED:
            return
        if status.get(metrics.DESIRED) != self._sha256:
            self._handle_other_bundle(status)
            return
        received = status.get(metrics.RECEIVED)
        if isinstance(received, int) and 0 <= received <= len(self._data) and received != self._received:
            self._received = received
            self._resend_at_s, self._resend_s = now_s + RESEND_S, RESEND_S
            self._sent = max(self._sent, received) if received else 0
        if self._is_earlier(status, now_s):
            return
        self._state, self._reason = str(status.get(metrics.STATE) or WAITING), str(status.get(metrics.REASON) or "")
        if self._state not in {WAITING, "desired", REFUSED}:
            self._received = len(self._data)

    def pause(self) -> None:
        """Pause while the node is offline: once it is back, the next pieces are due at once."""
        self._resend_at_s, self._resend_s = float("-inf"), RESEND_S

    def due_pieces(self, now_s: float) -> list[dict[str, Value]]:
        """Return the pieces to send now, as the metrics of one command each."""
        if self._state in _FINISHED or self._received == len(self._data):
            return []
        if now_s >= self._resend_at_s:
            self._sent, self._resend_at_s = self._received, now_s + self._resend_s
            self._resend_s = min(2.0 * self._resend_s, MAX_RESEND_S)
        until = min(len(self._data), self._received + MAX_IN_FLIGHT * CHUNK_BYTES)
        pieces = [self._make_piece(offset) for offset in range(self._sent, until, CHUNK_BYTES)]
        self._sent = max(self._sent, until)
        if pieces and self._earlier is not None and self._earlier_until_s is None:
            self._earlier_until_s = now_s + STALE_S
        return pieces

    def _make_piece(self, offset: int) -> dict[str, Value]:
        return {
            metrics.DESIRED: self._sha256,
            metrics.SIZE: len(self._data),
            metrics.OFFSET: offset,
            metrics.CHUNK: self._data[offset : offset + CHUNK_BYTES],
        }

    def _handle_other_bundle(self, status: Mapping[str, Scalar]) -> None:
        """Handle a status about another bundle or none; the node may have lost the download."""
        if self._state == WAITING:
            if status.get(metrics.SHA256) == self._sha256:
                self._state, self._reason = HEALTHY, "the node already runs it"
        elif status.get(metrics.DESIRED):
            self._state, self._reason = REPLACED, "another bundle was sent to the node"
        else:
            self._received = self._sent = 0

    def _find_earlier_end(self, status: Mapping[str, Scalar]) -> tuple[Scalar, Scalar] | None:
        """Return state and reason of an earlier attempt with this bundle if it failed."""
        over = status.get(metrics.DESIRED) == self._sha256 and status.get(metrics.STATE) in {REFUSED, REVERTED}
        return (status.get(metrics.STATE), status.get(metrics.REASON)) if over else None

    def _is_earlier(self, status: Mapping[str, Scalar], now_s: float) -> bool:
        same = self._earlier is not None and self._earlier == (status.get(metrics.STATE), status.get(metrics.REASON))
        if same and (self._earlier_until_s is None or now_s < self._earlier_until_s):
            return True
        self._earlier = None
        return False


def find_due_pieces(
    transfers: Mapping[str, BundleTransfer], nodes: Mapping[str, NodeState], now_s: float
) -> Iterator[tuple[str, dict[str, Value]]]:
    """Find the pieces to send now, by node; a node that is offline or has lost its place waits."""
    for name, transfer in transfers.items():
        node = nodes.get(name)
        if node is None:  # its next birth gives it another place
            continue
        transfer.update(node.status, now_s)
        if not node.online:
            transfer.pause()
            continue
        for piece in transfer.due_pieces(now_s):
            yield name, piece
