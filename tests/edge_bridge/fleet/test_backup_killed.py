"""A backup or a restore that is killed: what was there stays, and what it left is cleared."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from edge_bridge.fleet.backup.work_folder import open_work_folder
from tests.edge_bridge.fleet.backups import back_up, content, fill, leftovers, restore

ROOT = Path(__file__).parents[3]


def test_a_killed_backup_leaves_the_one_of_before(tmp_path: Path) -> None:
    where = f"sqlite:///{tmp_path / 'fleet.db'}"
    fill(where, *range(1, 2000))
    back_up(where, file := tmp_path / "fleet.backup")
    before = file.read_bytes()
    words = (
        "import os, signal, sys; from datetime import datetime, UTC; from pathlib import Path;"
        "from edge_bridge.fleet.backup import backup_file, run_backup;"
        "backup_file.check_backup = lambda _: os.kill(os.getpid(), signal.SIGKILL);"
        "run_backup.make_backup(sys.argv[1], Path(sys.argv[2]), datetime.now(UTC), lambda *_: None, print)"
    )
    run_killed(words, where, str(file))
    assert file.read_bytes() == before
    assert leftovers(tmp_path)
    assert back_up(where, file).rows == 1999
    assert not leftovers(tmp_path)  # a copy of the whole database each night would fill the disk


def test_two_backups_at_once_leave_each_other_alone(tmp_path: Path) -> None:
    with open_work_folder(tmp_path / "fleet.backup") as first, open_work_folder(tmp_path / "fleet.backup") as second:
        assert first != second
        assert first.exists()
        with open_work_folder(tmp_path / "fleet.backup.2"):
            assert second.exists()
    assert not leftovers(tmp_path)


def test_a_restore_that_is_killed_leaves_the_database_of_before(tmp_path: Path) -> None:
    """The fleet of before was killed too, so its newest rows are beside the file."""
    where = f"sqlite:///{tmp_path / 'fleet.db'}"
    fill(where, 1, 2)
    back_up(where, file := tmp_path / "fleet.backup")
    write = (
        "import os, signal, sys; from tests.edge_bridge.fleet.backups import open_store, rows;"
        "open_store(sys.argv[1]).commit(rows(3, 4)); os.kill(os.getpid(), signal.SIGKILL)"
    )
    run_killed(write, where)
    assert (tmp_path / "fleet.db-wal").stat().st_size > 0
    words = (
        "import os, signal, sys; from pathlib import Path; from edge_bridge.fleet.backup import run_backup;"
        "Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL);"
        "run_backup.restore_backup(Path(sys.argv[2]), sys.argv[1], replace=True, report=lambda *_: None)"
    )
    run_killed(words, where, str(file))
    assert [row[2] for row in content(where)[:-1]] == [1, 2, 3, 4]
    restore(file, where, replace=True)
    assert [row[2] for row in content(where)[:-1]] == [1, 2]
    assert not leftovers(tmp_path)


def run_killed(words: str, *arguments: str) -> None:
    ended = subprocess.run([sys.executable, "-c", words, *arguments], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
