"""Questions to a fleet's database beside its writer: connections of their own, which change and lock nothing."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, func, or_, select, text
from sqlalchemy.exc import SQLAlchemyError

from edge_bridge.fleet.store.audit_chain import read_entries
from edge_bridge.fleet.store.open_store import parse_address
from edge_bridge.fleet.store.read_engine import open_reader
from edge_bridge.fleet.store.sql_store import make_failure
from edge_bridge.fleet.store.tables import BIRTH, BOOT, DATED_ROW, DAY_MS, EVENT, GAP, NODE, ROW

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from sqlalchemy import Connection

    from edge_bridge.ranges import Range

MAX_HOLES: Final = 1_000  # holes in the numbers of one boot that are looked at
_HAS_ROWS: Final = BOOT.c.stored > 0


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted; None for any."""

    node: str | None = None
    kind: str | None = None
    severity: str | None = None
    is_alarm: bool | None = None
    is_raised: bool | None = None
    is_acknowledged: bool | None = None
    nodes: frozenset[str] | None = None  # those that somebody may see

    @property
    def conditions(self) -> list[Any]:
        found = [EVENT.c[name] == value for name in ("node", "kind", "severity") if (value := getattr(self, name))]
        if self.nodes is not None:
            found.append(EVENT.c.node.in_(sorted(self.nodes)))
        if self.is_alarm is not None:
            found.append(EVENT.c.is_alarm.is_(self.is_alarm))
        for wanted, column in ((self.is_raised, EVENT.c.cleared_ms), (self.is_acknowledged, EVENT.c.acknowledged_ms)):
            if wanted is not None:
                found.append(column.is_(None) if wanted is (column is EVENT.c.cleared_ms) else column.is_not(None))
        return found


class FleetReader:
    """A reader of one fleet's database, for any number of threads. Every question raises `StoreFailed`."""

    def __init__(self, where: Path | str) -> None:
        """`where` is a file or a URL of a database that a `FleetStore` has opened, so that it has all tables."""
        address = parse_address(where)
        self._where = str(address) if isinstance(address, Path) else address.render_as_string(hide_password=True)
        self._engine = open_reader(address)

    @contextmanager
    def begin(self) -> Generator[Connection]:
        """Begin a transaction that only reads."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise make_failure(self._where, error) from error

    def check(self) -> None:
        """Raise `StoreFailed` if the database does not answer."""
        with self.begin() as connection:
            connection.execute(text("SELECT 1"))

    def read_devices(self, after: str, limit: int) -> list[tuple[tuple[Any, ...], tuple[int, int, int]]]:
        """Return the next nodes by name: name, online, time of the newest row, status text and group of each.

        Each comes with its rows: produced, stored, named by gaps.
        """
        notes = select(NODE.c.node, NODE.c.online, NODE.c.last_ms, NODE.c.status, NODE.c.group_id)
        sums = (func.sum(BOOT.c.highest), func.sum(BOOT.c.stored), func.sum(BOOT.c.named))
        with self.begin() as connection:
            found = connection.execute(notes.where(NODE.c.node > after).order_by(NODE.c.node).limit(limit)).all()
            if not found:
                return []
            of_them = BOOT.c.node.between(found[0].node, found[-1].node)
            counted = connection.execute(select(BOOT.c.node, *sums).where(of_them).group_by(BOOT.c.node)).all()
        counts = {node: (int(produced), int(stored), int(named)) for node, produced, stored, named in counted}
        return [(tuple(note), counts.get(note[0], (0, 0, 0))) for note in found]

    def read_births(self, node: str, limit: int) -> Sequence[Any]:
        """Return the newest births of a node, the newest first."""
        wanted = select(BIRTH.c.t_ms, BIRTH.c.bd_seq, BIRTH.c.bundle).where(BIRTH.c.node == node)
        with self.begin() as connection:
            return connection.execute(wanted.order_by(BIRTH.c.id.desc()).limit(limit)).all()

    def read_events(self, wanted: EventFilter, before: int | None, limit: int) -> Sequence[Any]:
        """Return the newest events of a filter, as rows of `EVENT`; `before` is the number of the one after them."""
        chosen = select(EVENT).where(*wanted.conditions).order_by(EVENT.c.id.desc()).limit(limit)
        with self.begin() as connection:
            return connection.execute(chosen if before is None else chosen.where(EVENT.c.id < before)).all()

    def read_alarm_node(self, alarm: int) -> str | None:
        """Return the device of an alarm, None if there is no such alarm."""
        with self.begin() as connection:
            return connection.execute(select(EVENT.c.node).where(EVENT.c.id == alarm, EVENT.c.is_alarm)).scalar()

    def read_audit(self, before: int | None, limit: int) -> Sequence[Any]:
        """Return the newest entries of the audit, as rows of `AUDIT`."""
        with self.begin() as connection:
            return read_entries(connection, before, limit)

    def read_boots(self, node: str) -> Sequence[Any]:
        """Return the boots of a node as rows of `BOOT`, by the time of their first row; those without rows last."""
        wanted = (
            select(BOOT).where(BOOT.c.node == node).order_by(BOOT.c.first_ms.is_(None), BOOT.c.first_ms, BOOT.c.boot)
        )
        with self.begin() as connection:
            return connection.execute(wanted).all()

    def read_gaps(self, node: str, after: tuple[str, int], limit: int) -> Sequence[Any]:
        """Return boot, first and last of the gaps that a node named, behind a boot and its row, in this order."""
        wanted = select(GAP.c.boot, GAP.c.first, GAP.c.last).where(
            GAP.c.node == node, _is_behind(GAP.c.boot, GAP.c.first, after)
        )
        with self.begin() as connection:
            return connection.execute(wanted.order_by(GAP.c.boot, GAP.c.first).limit(limit)).all()

    def read_holes(self, node: str, boot: str, highest: int) -> list[Range]:
        """Return the first `MAX_HOLES` ranges of numbers up to `highest` without a stored row."""
        before = func.lag(ROW.c.seq, 1, 0).over(order_by=ROW.c.seq).label("before")
        of_boot = select(ROW.c.seq, before).where(ROW.c.node == node, ROW.c.boot == boot).subquery()
        holes = select(of_boot.c.before + 1, of_boot.c.seq - 1).where(of_boot.c.seq - of_boot.c.before > 1)
        newest = select(func.max(ROW.c.seq)).where(ROW.c.node == node, ROW.c.boot == boot)
        with self.begin() as connection:
            found = [
                (int(first), int(last))
                for first, last in connection.execute(holes.order_by(of_boot.c.seq).limit(MAX_HOLES))
            ]
            last = int(connection.execute(newest).scalar() or 0)
        return [*found, (last + 1, highest)] if last < highest and len(found) < MAX_HOLES else found

    def read_rows(self, node: str, span: tuple[int, int], after: tuple[str, int] | None, limit: int) -> list[Any]:
        """Return rows of `ROW` of a node whose time lies in `span`, boot by boot and by number, behind `after`."""
        low, high = span
        boots = [
            boot.boot
            for boot in self.read_boots(node)
            if boot.first_ms is not None and boot.first_ms < high and boot.last_ms >= low
        ]
        begin, seq = 0, 0
        if after is not None:
            boot, seq = after
            if boot not in boots:
                return []
            begin = boots.index(boot)
        found = list[Any]()
        with self.begin() as connection:
            for boot in boots[begin:]:
                found += connection.execute(_select_rows(connection, node, (boot, seq), span, limit - len(found))).all()
                seq = 0
                if len(found) >= limit:
                    break
        return found

    def read_newest_row(self, node: str) -> Any | None:
        """Return the row with the highest number of the boot with the newest row, as one of `ROW`."""
        newest = select(BOOT.c.boot).where(BOOT.c.node == node, _HAS_ROWS).order_by(BOOT.c.last_ms.desc()).limit(1)
        wanted = select(ROW).where(ROW.c.node == node, ROW.c.boot == newest.scalar_subquery())
        with self.begin() as connection:
            return connection.execute(wanted.order_by(ROW.c.seq.desc()).limit(1)).first()

    def close(self) -> None:
        self._engine.dispose()


def _is_behind(boot: Any, number: Any, after: tuple[str, int]) -> Any:
    return or_(boot > after[0], and_(boot == after[0], number > after[1]))


def _select_rows(connection: Connection, node: str, after: tuple[str, int], span: tuple[int, int], limit: int) -> Any:
    boot, seq = after
    table = DATED_ROW if connection.dialect.name == "postgresql" else ROW
    wanted = select(*(table.c[column.name] for column in ROW.c)).where(table.c.node == node, table.c.boot == boot)
    wanted = wanted.where(table.c.seq > seq, table.c.t_ms >= span[0], table.c.t_ms < span[1])
    if table is DATED_ROW:  # the days that can have such rows
        wanted = wanted.where(table.c.day.between(span[0] // DAY_MS, (span[1] - 1) // DAY_MS))
    return wanted.order_by(table.c.seq).limit(limit)
