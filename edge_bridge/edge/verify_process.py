"""Verification of a bundle in its own process: whatever happens there, the running configuration goes on."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from drivers.errors import BundleRefused, PulseError, rebuild
from drivers.processes import end_with_parent, start_child
from edge_bridge.bundle import golden
from edge_bridge.bundle.verify import verify

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from edge_bridge.bundle.verify import Acceptance, VerifiedBundle

TIMEOUT_S: Final = 90.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A bundle to verify, and what an edge accepts: see `edge_bridge.bundle.verify`."""

    data: bytes
    trust: Path
    now: datetime
    accept: Acceptance


def verify_candidate(candidate: Candidate) -> VerifiedBundle:
    """Verify signature, trust, time, serial, pack type, class and golden vectors; raise `BundleRefused`."""
    found = verify(candidate.data, candidate.trust, now=candidate.now, accept=candidate.accept)
    result = golden.replay(found.bundle)
    if not result.ok:
        hint = "build it again with the version that this edge runs"
        raise BundleRefused(f"gives other results here: {result.sentence}", key="golden", value=result.worst, hint=hint)
    return found


class VerifyProcess:
    """One verification, started at `began_s` of a monotonic clock; `refusal` has its result."""

    def __init__(self, candidate: Candidate, began_s: float) -> None:
        self._started_s = began_s
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_run, args=(theirs, candidate), name="bundle verification", daemon=True)
        start_child(self._process)
        theirs.close()
        self._refusal: PulseError | None = None

    @property
    def pid(self) -> int:
        """Return the id of the verification process, 0 once it is done."""
        return 0 if self._connection.closed else self._process.pid or 0

    def is_done(self, now_s: float) -> bool:
        """Return whether it is done; end a verification that takes too long and count it as refused."""
        if self._connection.closed:
            return True
        if self._connection.poll():
            self._refusal = self._receive_refusal()
        elif now_s - self._started_s > TIMEOUT_S:
            what = f"had not finished its golden vectors after {TIMEOUT_S:g} s"
            self._refusal = BundleRefused(what, key="golden", hint="build it again")
        else:
            return False
        self.close()
        return True

    @property
    def refusal(self) -> PulseError | None:
        """Return why the bundle was refused, None if it was not; valid once it is done."""
        return self._refusal

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if not self._connection.closed:
            self._connection.close()
            self._process.kill()
            self._process.join()
            self._process.close()

    def _receive_refusal(self) -> PulseError | None:
        try:
            refusal = self._connection.recv()
        except (EOFError, OSError):
            what = "ended the process that verified it"
            return BundleRefused(what, key="golden", hint="build it again")
        return None if refusal is None else rebuild(refusal)


def _run(answer: Connection, candidate: Candidate) -> None:
    end_with_parent()
    try:
        verify_candidate(candidate)
    except PulseError as error:
        answer.send(error.as_json())
    except Exception as error:  # noqa: BLE001  # a bundle may cause any exception
        what = f"cannot be run here: {type(error).__name__}: {error}"
        answer.send(BundleRefused(what, key="golden", hint="build it again").as_json())
    else:
        answer.send(None)


def utc_now() -> datetime:
    """Return the wall clock, for the composition root."""
    return datetime.now(UTC)
