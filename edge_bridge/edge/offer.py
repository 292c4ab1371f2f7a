"""A bundle that the fleet sends: arrives in pieces, is tried beside the running one, then accepted or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.errors import PulseError
from edge_bridge.edge.keeper import LONGEST, REFUSED, REVERTED, Outcome
from edge_bridge.edge.trial import Candidate, Trial

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from edge_bridge.edge.download import Download
    from edge_bridge.edge.keeper import Keeper
    from edge_bridge.edge.node import Piece

DESIRED, DOWNLOADED, VERIFIED = "desired", "downloaded", "verified"
_OVER = (REFUSED, REVERTED)


class Offer:
    """Follows one bundle at a time; a second one that is desired replaces the first."""

    def __init__(
        self, download: Download, keeper: Keeper, trust: Path, *, allow_sim: bool, say: Callable[[str], None]
    ) -> None:
        self._download, self._keeper, self._trust = download, keeper, trust
        self._allow_sim, self._say = allow_sim, say
        self._trial: Trial | None = None
        self._data = b""
        self._tried = False
        if download.sha256:
            keeper.outcome = Outcome(download.sha256, DESIRED)

    @property
    def received(self) -> int | None:
        """Octets of the desired bundle that are here, None where none is desired."""
        return self._download.received if self._download.sha256 else None

    def take(self, piece: Piece) -> None:
        """A piece of the desired bundle; one of a bundle that is over already begins anew only from its start."""
        if piece.sha256 == self._keeper.running.installed.sha256:
            self._cancel()
            self._keeper.settle()
            return
        if piece.sha256 != self._download.sha256:
            if self._is_over(piece):
                return
            self._cancel()
            self._keeper.outcome = Outcome(piece.sha256, DESIRED)
            self._say(f"bundle {piece.sha256[:12]} is desired, {piece.size} octets")
        try:
            self._download.take(piece)
        except OSError as error:
            self._refuse(piece.sha256, f"cannot be kept: {error.strerror or error}")

    def poll(self, now: datetime, now_s: float) -> None:
        """Go on by one step."""
        if self._trial is not None:
            if self._trial.done(now_s):
                self._conclude(self._trial)
        elif not self._tried:
            if self._download.complete:
                self._try(now, now_s)
        elif not self._keeper.on_probation:  # else the slot is taken until the one before has proven itself, or not
            self._accept(now, now_s)

    def close(self) -> None:
        if self._trial is not None:
            self._trial.close()

    def _is_over(self, piece: Piece) -> bool:
        outcome = self._keeper.outcome
        return piece.sha256 == outcome.sha256 and (outcome.state not in _OVER or piece.offset > 0)

    def _try(self, now: datetime, now_s: float) -> None:
        data = self._download.data()
        if data is None:
            self._refuse(self._download.sha256, "what arrived is not what its hash says")
            return
        self._data = data
        self._keeper.outcome = Outcome(self._download.sha256, DOWNLOADED)
        self._say(f"bundle {self._download.sha256[:12]} is downloaded")
        self._trial = Trial(Candidate(data, self._trust, now, self._allow_sim), now_s)

    def _conclude(self, trial: Trial) -> None:
        self._trial = None
        sha256 = self._download.sha256
        if trial.refusal is not None:
            self._refuse(sha256, trial.refusal.sentence)
            return
        self._tried = True
        self._keeper.outcome = Outcome(sha256, VERIFIED)
        self._say(f"bundle {sha256[:12]} is verified")

    def _accept(self, now: datetime, now_s: float) -> None:
        data, sha256 = self._data, self._download.sha256
        self._cancel()
        try:
            self._keeper.accept(data, now, now_s)
        except PulseError as error:
            self._refuse(sha256, error.sentence)

    def _refuse(self, sha256: str, reason: str) -> None:
        self._cancel()
        self._keeper.outcome = Outcome(sha256, REFUSED, reason[:LONGEST])
        self._say(f"bundle {sha256[:12]} is refused: {reason}")

    def _cancel(self) -> None:
        if self._trial is not None:
            self._trial.close()
        self._trial, self._tried, self._data = None, False, b""
        self._download.drop()
