"""The file of a fleet's database: found again, held by one fleet, converted or refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from drivers.errors import Usage
from edge_bridge.fleet.row_store import RowStore
from tests.edge_bridge.fleet.pack import Desk, Pack
from tests.edge_bridge.fleet.test_store import batch, only, row

if TYPE_CHECKING:
    from pathlib import Path

HEALTH_COLUMNS = ("soh", "soh_std", "soh_min", "resistance_growth", "resistance_growth_std")


def test_a_database_is_found_again_as_it_was_left(tmp_path: Path) -> None:
    first = Desk(tmp_path / "fleet.db")
    pack = Pack()
    first.hear(pack.birth(Bundle_Sha256="ab" * 32), pack.row(1))
    first.hear(pack.row(9), pack.death(7))
    first.close()
    store = RowStore(tmp_path / "fleet.db")
    (note,) = store.read_nodes()
    assert (note.node, note.online, note.status["Bundle/Sha256"]) == ("pack-1", True, "ab" * 32)
    assert (store.read_totals().stored, store.read_totals().missing) == (2, 7)
    assert store.read_counts("refused") == {"stale_death": 1}
    assert only(store).bundle == "ab" * 32
    store.close()


def test_only_one_fleet_holds_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_bridge.fleet.schema.LOCK_TIMEOUT_S", 0.05)
    store = RowStore(tmp_path / "fleet.db")
    with pytest.raises(Usage, match="in use by another fleet"):
        RowStore(tmp_path / "fleet.db")
    store.close()
    RowStore(tmp_path / "fleet.db").close()


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE notes (text)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(Usage, match=r"notes\.db is the database of another program"):
        RowStore(path)
    assert path.read_bytes() == before


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fleet.db"
    RowStore(path).close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 7")
    newer.close()
    with pytest.raises(Usage, match="has version 7, this program writes 2 and reads 1; name another file with --db"):
        RowStore(path)


def test_a_database_of_the_version_before_is_converted_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "fleet.db"
    with closing(RowStore(path)) as new:
        new.commit(batch(row(1)))
        assert not new.notices
    before = sqlite3.connect(path)
    for name in HEALTH_COLUMNS:
        before.execute(f"ALTER TABLE row DROP COLUMN {name}")
    before.execute("PRAGMA user_version = 1")
    before.commit()
    before.close()
    with closing(RowStore(path)) as store:
        assert store.notices == [f"{path} was of version 1: its rows got the empty columns {', '.join(HEALTH_COLUMNS)}"]
        again = store.commit(batch(row(1), row(2)))
        assert (again.new, again.duplicates, again.conflicts) == (1, 1, 0)
    with closing(RowStore(path)) as store:
        assert not store.notices
        assert only(store).stored == 2


@pytest.mark.parametrize(
    "octets", [b"no database at all, but long enough to be taken for one" * 40, b"SQLite format 3\0"]
)
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "fleet.db"
    path.write_bytes(octets)
    with pytest.raises(Usage, match="cannot be used"):
        RowStore(path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="cannot be opened"):
        RowStore(tmp_path / "nowhere" / "fleet.db")
