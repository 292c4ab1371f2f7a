"""What tests of backups do: fill a database, back it up, restore it, read it."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from edge_bridge.fleet.backup import run_backup
from edge_bridge.fleet.columns import COLUMNS
from edge_bridge.fleet.row import StoredRow
from edge_bridge.fleet.store.open_store import open_store
from edge_bridge.fleet.store.records import Batch, NodeRecord
from tests.edge_bridge.fleet.pack import asked

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.fleet.backup.manifest import BackupManifest

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
T_MS = 1_790_000_000_000
NOTHING = (None,) * len(COLUMNS)


def rows(*numbers: int) -> Batch:
    values = (1.0, 80.0, *NOTHING[2:])
    made = [StoredRow("pack-1", "0a", seq, T_MS + seq, False, "", values, None) for seq in numbers]  # noqa: FBT003  # a row by place
    return Batch(made, notes={"pack-1": NodeRecord("pack-1", online=True, last_ms=T_MS, status={"Gate/Verdict": "ä'"})})


def fill(where: str, *numbers: int) -> None:
    with closing(open_store(where)) as store:
        store.commit(rows(*numbers))


def ignore(done: int, total: int) -> None:
    """Nobody reads the progress here."""


def back_up(where: str, file: Path) -> BackupManifest:
    return run_backup.make_backup(where, file, NOW, ignore, pytest.fail)


def restore(file: Path, where: str, *, replace: bool = False) -> BackupManifest:
    return run_backup.restore_backup(file, where, replace=replace, report=ignore)


def content(where: str) -> list[tuple[object, ...]]:
    with closing(open_store(where)) as store:
        found = asked(store, "SELECT node, boot, seq, t_ms, voltage_v FROM row ORDER BY seq")
        return [*found, *asked(store, "SELECT node, last_ms, status FROM node")]


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))
