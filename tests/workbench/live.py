"""Looking at a live bench from outside: the newest value of a channel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from workbench.session.live import LiveSession

ROOT = Path(__file__).resolve().parents[2]
HIL24 = ROOT / "fixtures" / "benches" / "hil24.toml"


def channel(session: LiveSession, name: str) -> float:
    """The newest value, NaN before there is one."""
    row = None if session.ring is None else session.ring.latest()
    return float("nan") if row is None or session.ring is None else float(row.values[session.ring.table.index(name)])


def outputs(session: LiveSession) -> float:
    """1 while the supply's output reads on."""
    return channel(session, "supply/output")


def ticks(session: LiveSession) -> int:
    """How many ticks there were so far."""
    assert session.ring is not None
    return session.ring.count


def since(session: LiveSession, tick: int, names: list[str]) -> Floats:
    """Channels by tick, from `tick` on."""
    assert session.ring is not None
    return session.ring.since(tick).values[[session.ring.table.index(name) for name in names]]
