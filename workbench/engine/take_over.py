"""The check of a supply that is already under remote control: take it only if it was ours, or if requested."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from drivers.bench_lock import resolve
from drivers.errors import BenchTaken
from drivers.scpi import ea_psb10000
from drivers.scpi.remote_owner import read_owner
from workbench.engine import session_journal
from workbench.engine.session_journal import SessionEntry

if TYPE_CHECKING:
    from collections.abc import Callable


def check_remote(address: str, *, take_over: bool, read: Callable[[str], str] = read_owner) -> str:
    """Return what to report about the supply at `address`, whose lock we hold; empty if nobody controls it.

    Raise `BenchTaken` if it reads REMOTE and no session of this machine has left it so, unless `take_over`.
    """
    if read(address) != ea_psb10000.REMOTE:
        return ""
    places = set(resolve(address))
    ours = [entry for _, entry in session_journal.unfinished() if isinstance(entry, SessionEntry)]
    for entry in reversed(ours):
        if places & set(entry.addresses):
            run = f"{Path(entry.folder).name}, bench {entry.bench}, since {entry.started}"
            return f"the supply reads REMOTE: a session of this machine left it so ({run}); it is taken over again"
    if take_over:
        return "the supply reads REMOTE and no session of this machine has left it so; it is taken over as requested"
    what = "reads REMOTE: another client controls it, no session of this machine has left it so"
    hint = "end the other client, or take it over with --take-over"
    raise BenchTaken(what, where=f"supply at {address}", key="take-over", value=ea_psb10000.REMOTE, hint=hint)
