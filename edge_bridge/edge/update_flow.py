"""The update of an edge: download a bundle in pieces, verify it beside the running one, install or refuse it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.errors import PulseError
from edge_bridge.edge.installer import MAX_REASON, REFUSED, REVERTED, InstallStatus
from edge_bridge.edge.verify_process import VerifyProcess

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from edge_bridge.edge.download import Download
    from edge_bridge.edge.installer import BundleInstaller
    from edge_bridge.edge.node import Piece

DESIRED, DOWNLOADED, VERIFIED = "desired", "downloaded", "verified"
_FINISHED = (REFUSED, REVERTED)


class UpdateFlow:
    """The update with one desired bundle at a time; a second desired bundle replaces the first."""

    def __init__(
        self,
        download: Download,
        installer: BundleInstaller,
        *,
        log: Callable[[str], None],
    ) -> None:
        self._download, self._installer, self._log = download, installer, log
        self._verification: VerifyProcess | None = None
        self._data = b""
        self._verified = False
        if download.sha256:
            installer.status = InstallStatus(download.sha256, DESIRED)

    @property
    def received(self) -> int | None:
        """Return how many bytes of the desired bundle have arrived, None if none is desired."""
        return self._download.received if self._download.sha256 else None

    def add_piece(self, piece: Piece) -> None:
        """Add a piece of the desired bundle; a bundle that is finished starts again only with its first piece."""
        if piece.sha256 == self._installer.running.installed.sha256:
            self._cancel()
            self._installer.report_running()
            return
        if piece.sha256 != self._download.sha256:
            if self._is_over(piece):
                return
            self._cancel()
            self._installer.status = InstallStatus(piece.sha256, DESIRED)
            self._log(f"bundle {piece.sha256[:12]} is desired, {piece.size} bytes")
        try:
            self._download.append(piece)
        except OSError as error:
            self._refuse(piece.sha256, f"cannot be written: {error.strerror or error}")

    def poll(self, now: datetime, now_s: float) -> None:
        """Do the next step: verify, finish the verification or install."""
        if self._verification is not None:
            if self._verification.is_done(now_s):
                self._finish_verification(self._verification)
        elif not self._verified:
            if self._download.is_complete:
                self._verify(now, now_s)
        elif (
            not self._installer.is_on_probation
        ):  # else the slot is in use until the probation of the bundle before has ended
            self._install(now, now_s)

    def close(self) -> None:
        if self._verification is not None:
            self._verification.close()

    def _is_over(self, piece: Piece) -> bool:
        status = self._installer.status
        return piece.sha256 == status.sha256 and (status.state not in _FINISHED or piece.offset > 0)

    def _verify(self, now: datetime, now_s: float) -> None:
        data = self._download.read()
        if data is None:
            self._refuse(self._download.sha256, "the received bytes do not match its hash")
            return
        self._data = data
        self._installer.status = InstallStatus(self._download.sha256, DOWNLOADED)
        self._log(f"bundle {self._download.sha256[:12]} is downloaded")
        self._verification = VerifyProcess(self._installer.make_candidate(data, now), now_s)

    def _finish_verification(self, process: VerifyProcess) -> None:
        self._verification = None
        sha256 = self._download.sha256
        if process.refusal is not None:
            self._refuse(sha256, process.refusal.sentence)
            return
        self._verified = True
        self._installer.status = InstallStatus(sha256, VERIFIED)
        self._log(f"bundle {sha256[:12]} is verified")

    def _install(self, now: datetime, now_s: float) -> None:
        data, sha256 = self._data, self._download.sha256
        self._cancel()
        try:
            self._installer.install(data, now, now_s)
        except PulseError as error:
            self._refuse(sha256, error.sentence)

    def _refuse(self, sha256: str, reason: str) -> None:
        self._cancel()
        self._installer.status = InstallStatus(sha256, REFUSED, reason[:MAX_REASON])
        self._log(f"bundle {sha256[:12]} is refused: {reason}")

    def _cancel(self) -> None:
        if self._verification is not None:
            self._verification.close()
        self._verification, self._verified, self._data = None, False, b""
        self._download.drop()
