"""Looking at a live bench from outside: the newest value of a channel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from drivers.benchfile.copy import copy_bench
from workbench.session import waiting

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from workbench.session.live_session import LiveSession

ROOT = Path(__file__).resolve().parents[2]
HIL24 = ROOT / "fixtures" / "benches" / "hil24.toml"


def end_guard(pid: int | None) -> None:
    """Wait for the end of a guard left alone; end one whose emulated bench has gone, which verifies nothing."""
    if pid is None or not psutil.pid_exists(pid):
        return
    _, alive = psutil.wait_procs([psutil.Process(pid)], timeout=5.0)
    for guard in alive:
        guard.kill()


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


def pass_ticks(session: LiveSession, turns: int) -> None:
    """Let the loop come round so often more while the session is polled."""
    last = ticks(session) + turns
    assert waiting.wait_for(session, lambda: ticks(session) >= last, 1.0 + turns / 10.0), "the loop stands still"


def since(session: LiveSession, tick: int, names: list[str]) -> Floats:
    """Channels by tick, from `tick` on."""
    assert session.ring is not None
    return session.ring.since(tick).values[[session.ring.table.index(name) for name in names]]


def real(folder: Path, addresses: dict[str, str]) -> Path:
    """A bench file whose instruments are those of an emulated bench, as if they were not ours."""
    copy_bench(HIL24, folder)
    text = (folder / HIL24.name).read_text(encoding="utf-8")
    for name in ("cell_simulator", "supply", "io_box"):
        text = text.replace(f'"emulated:{name}"', f'"{addresses[name]}"')
    text = text.replace('interface = "emulated"', 'interface = "virtual"').replace('channel = "bms"', 'channel = "x"')
    (folder / "real.toml").write_text(text, encoding="utf-8")
    return folder / "real.toml"
