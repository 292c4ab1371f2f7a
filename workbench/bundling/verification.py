"""Verification of a bundle by trusted keys and by its golden vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.errors import CheckFailed
from edge_bridge.bundle import golden
from edge_bridge.bundle.verify import ANY, verify
from workbench.bundling.steps import ignore_progress

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from edge_bridge.bundle.golden import GoldenResult
    from edge_bridge.bundle.verify import Acceptance, VerifiedBundle
    from workbench.bundling.steps import Steps


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a verification; `golden` is None where the golden vectors were not replayed."""

    verified: VerifiedBundle
    golden: GoldenResult | None = None


def verify_bundle(
    data: bytes,
    trust: Path,
    *,
    now: datetime,
    accept: Acceptance = ANY,
    replay: bool = False,
    steps: Steps = ignore_progress,
) -> Verification:
    """Verify `data` by the keys in `trust`, then replay its golden vectors if requested; raise `BundleRefused`."""
    steps("Its signature and its members are verified.", 0.0)
    verified = verify(data, trust, now=now, accept=accept)
    if not replay:
        return Verification(verified)
    steps("Its golden vectors are replayed.", 0.1)
    return Verification(verified, golden.replay(verified.bundle))


def require_golden(result: GoldenResult) -> None:
    """Raise `CheckFailed` for golden vectors that do not hold here."""
    if not result.ok:
        raise CheckFailed(
            f"its golden vectors are not repeated: {result.sentence}", hint="build it again with this version"
        )
