"""Files of the archive without the rows of one node: each is written anew beside the old one, and recorded instead.

The old files go only after the commit. If the program ends before, nothing was forgotten; if it ends after it, what
is left over goes with the next `remove_replaced`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, select, update

from drivers.errors import StoreFailed, Usage
from edge_bridge.fleet.store.archive_file import FIELD_NAMES, pc, pq, read_archive, write_archive
from edge_bridge.fleet.store.upkeep_tables import ARCHIVED_DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

_NAME: Final = re.compile(r"(?P<part>.+?-\d+-[0-9a-z]+)(-r(?P<number>\d+))?\.parquet")


def rewrite_without(connection: Connection, node: str) -> None:
    """Write each file that has rows of a node anew and record it; raise `StoreFailed` or `Usage`."""
    for day in connection.execute(select(ARCHIVED_DAY).order_by(ARCHIVED_DAY.c.day, ARCHIVED_DAY.c.part)).all():
        if not day.is_done:
            what = "upkeep has begun to move a day to the archive and did not end"
            raise Usage(what, key="node", value=node, hint="run fleet upkeep first")
        path = Path(day.folder) / day.file
        known = read_archive(path)
        if known.sha256 != day.sha256:
            raise StoreFailed("is not the file that was recorded", where=str(path), key="archive", hint="restore it")
        if any(owner == node for owner, _ in known.spans):
            about = {one: text for one, text in _read_about(path).items() if one != "pulsebms_rows"}
            made = write_archive(_name_next(path), _read_others(path, node), about)
            values = {"file": made.path.name, "rows": made.rows, "sha256": made.sha256}
            of_part = and_(ARCHIVED_DAY.c.day == day.day, ARCHIVED_DAY.c.part == day.part)
            connection.execute(update(ARCHIVED_DAY).where(of_part).values(values))


def remove_replaced(connection: Connection) -> int:
    """Remove files of recorded days that others replaced; return how many."""
    removed = 0
    for day in connection.execute(select(ARCHIVED_DAY)).all():
        found = _NAME.fullmatch(day.file)
        for path in Path(day.folder).glob(f"{found['part']}*.parquet") if found else ():
            other = _NAME.fullmatch(path.name)
            if path.name != day.file and other is not None and found is not None and other["part"] == found["part"]:
                path.unlink(missing_ok=True)
                removed += 1
    return removed


def _name_next(path: Path) -> Path:
    found = _NAME.fullmatch(path.name)
    if found is None:
        raise StoreFailed("has no name of an archive file", where=str(path), key="archive", hint="restore it")
    return path.with_name(f"{found['part']}-r{int(found['number'] or 0) + 1}.parquet")


def _read_about(path: Path) -> dict[str, str]:
    metadata: dict[bytes, bytes] = pq.read_schema(path).metadata or {}
    return {name.decode(): text.decode() for name, text in metadata.items()}


def _read_others(path: Path, node: str) -> Iterator[Sequence[Sequence[Any]]]:
    """Read the rows of all other nodes in their order, a row group at a time."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=list(FIELD_NAMES))
            others = table.filter(pc.not_equal(table["node"], node))
            if others.num_rows:
                yield [*zip(*(others[name].to_pylist() for name in FIELD_NAMES), strict=True)]
