"""`fleet upkeep`: roll up rows and move old ones to the archive, once."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.errors import Usage
from edge_bridge.fleet.store.hour_marks import read_wall_ms
from edge_bridge.fleet.store.open_store import make_current, parse_address
from edge_bridge.fleet.store.upkeep import Retention, Upkeep

if TYPE_CHECKING:
    from workbench.report import Report


def main(report: Report, store: Path | str, retention: tuple[int, int, Path | None]) -> bool:
    """Run upkeep of a database, whether a fleet uses it or not; raise `Usage` or `StoreFailed`."""
    address = parse_address(store)
    if isinstance(address, Path) and not address.is_file():
        where = str(address)
        raise Usage("does not exist", where=where, key="db", value=where, hint="name the database of a fleet")
    kept = Retention(*retention)
    make_current(store)
    with closing(Upkeep(store, kept)) as upkeep:
        done = upkeep.run(read_wall_ms())
    report.body.update(done.as_json())
    report.line(f"{done.hours} hours of packs rolled up")
    for file in done.files:
        report.line(f"moved old rows to {file}")
    if done.postponed:
        report.line(f"{len(done.postponed)} days still get rows; they move with the next upkeep")
    return True
