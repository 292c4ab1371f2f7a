"""Upkeep that is killed, that runs beside commits, and in any order with them, on either database."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_bridge.fleet.store.open_store import open_store
from edge_bridge.fleet.store.records import Batch
from edge_bridge.fleet.store.tables import DAY_MS
from edge_bridge.fleet.store.upkeep import Retention
from edge_bridge.fleet.store.upkeep_thread import UpkeepThread
from tests.contracts.test_store_contract import ROOT, only
from tests.contracts.upkeep_cases import LATER_MS, START_MS, all_keys, archived_keys, at, keep, read_minutes
from tests.edge_bridge.fleet.pack import asked
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.fleet.store.port import FleetStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


KILLED = """
# For each number of steps on stdin a process of its own, forked after the slow imports; its exit status
import os, signal, sys, traceback
from contextlib import closing
from pathlib import Path
from edge_bridge.fleet.store.archive_file import pq
from edge_bridge.fleet.store.upkeep import Retention, Upkeep

def run(left):
    def step(name):
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    with closing(Upkeep(sys.argv[1], Retention(raw_days=1, folder=Path(sys.argv[2])))) as upkeep:
        upkeep.run(int(sys.argv[3]), step=step)

for line in iter(sys.stdin.readline, ""):
    child = os.fork()
    if not child:
        try:
            run(int(line))
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class KilledUpkeep:
    """Upkeep in processes of their own, each killed after so many steps."""

    def __init__(self, where: str, folder: Path) -> None:
        words = [sys.executable, "-c", KILLED, where, str(folder), str(LATER_MS)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    def run(self, steps: int) -> int:
        """Return the exit status of one that ends at this step: 0 when it had no more of them."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(steps, file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate(timeout=30.0)


def test_upkeep_that_is_killed_at_any_step_loses_and_doubles_nothing(where: str, folder: Path) -> None:
    boots = ("0a", "0b")
    rows = [replace(at(seq, START_MS + seq), boot=boot) for boot in boots for seq in range(1, 20)]
    with closing(open_store(where)) as store:
        store.commit(Batch(rows))
    wanted, steps = sorted((one.node, one.boot, one.seq) for one in rows), 0
    with closing(KilledUpkeep(where, folder)) as upkeep:
        while True:
            status = upkeep.run(steps)
            with closing(open_store(where)) as store:
                assert (only(store).stored, only(store).duplicates, only(store).missing) == (38, 0, 0)
                again = store.commit(Batch(rows))
                assert (again.new, again.duplicates) == (0, 38)
                recorded = {str(path) for (path,) in asked(store, "SELECT file FROM archived_day")}
                held = {key for key in archived_keys(folder) if recorded}
                assert held | set(asked(store, "SELECT node, boot, seq FROM row")) == set(wanted)
            if status == 0:
                break
            assert status == -signal.SIGKILL
            steps += 1
            assert steps < 9
    with closing(open_store(where)) as store:
        assert all_keys(store, folder) == wanted
        assert read_minutes(store)["pack-1", START_MS][0] == 38
    assert steps >= 2


ACTIONS = st.lists(
    st.one_of(
        st.lists(st.tuples(st.sampled_from(["0a", "0b"]), st.integers(1, 40)), min_size=1, max_size=15),
        st.sampled_from(["roll up", "archive"]),
    ),
    max_size=8,
)


def when(boot: str, seq: int) -> int:
    """The time of a row: three days, some minutes, two boots at once."""
    return START_MS + seq % 3 * DAY_MS + seq * 7_000 + (boot == "0b")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=8)
@given(ACTIONS)
def test_any_order_of_commits_and_upkeep_keeps_each_row_once(
    store: FleetStore, where: str, tmp_path_factory: pytest.TempPathFactory, actions: list[Any]
) -> None:
    """The model is a dictionary of rows in this test; a node of its own for each example keeps them apart."""
    folder = tmp_path_factory.mktemp("archive")
    node = f"pack-{folder.name}"
    model = dict[tuple[str, int], int]()
    for action in [*actions, "archive"]:
        if isinstance(action, str):
            keep(where, folder if action == "archive" else None)
            continue
        rows = [replace(at(seq, when(boot, seq)), node=node, boot=boot) for boot, seq in action]
        new = {(one.boot, one.seq): one.t_ms for one in rows if (one.boot, one.seq) not in model}
        assert store.commit(Batch(rows)).new == len(new)
        model |= new
    (found,) = [one for one in store.summary() if one.node == node] or [None]
    assert (found.stored if found else 0) == len(model)
    assert not found or (found.duplicates, found.missing) == (0, found.produced - len(model))
    assert sorted(key for key in archived_keys(folder) if key[0] == node) == sorted((node, *key) for key in model)
    assert store.count_rows().get(node, 0) == len(model)
    minutes = defaultdict[int, list[int]](list)
    for (_, seq), t_ms in model.items():
        minutes[t_ms // 60_000 * 60_000].append(seq)
    known = {start: values for (of, start), values in read_minutes(store).items() if of == node}
    assert known == {start: (len(seqs), min(seqs), sum(seqs), max(seqs)) for start, seqs in minutes.items()}


def test_the_verb_does_it_once_beside_a_running_fleet(store: FleetStore, where: str, folder: Path) -> None:
    store.commit(Batch([at(1, START_MS)]))
    command = [sys.executable, str(ROOT / "main.py"), "fleet", "upkeep", "--store", where]
    done = subprocess.run(
        [*command, "--archive", str(folder), "--keep-raw-days", "2", "--json"], capture_output=True, check=False
    )
    body = json.loads(done.stdout)
    assert (done.returncode, body["hours"], body["rows"], len(body["files"])) == (0, 1, 1, 1)
    assert store.commit(Batch([at(1, START_MS)])).new == 0


def test_a_thread_does_it_beside_the_commits(store: FleetStore, where: str, folder: Path) -> None:
    store.commit(Batch([at(seq, START_MS + seq * 1000) for seq in range(1, 3000)]))
    said = list[str]()
    with closing(UpkeepThread(where, Retention(folder=folder), said.append, lambda: LATER_MS)):
        number = count(1)

        def commit_until_it_is_moved() -> bool:
            assert store.commit(Batch([at(next(number), LATER_MS, boot="0b")])).new == 1
            return bool(said)

        wait_until(commit_until_it_is_moved, 60.0, "a file in the archive")
    assert said == [f"moved old rows to {next(folder.glob('*.parquet'))}"]
    assert only(store).stored == 2999 + next(number) - 1


def test_the_thread_reports_trouble_once_and_goes_on(store: FleetStore, where: str, tmp_path: Path) -> None:
    store.commit(Batch([at(1, START_MS)]))
    (tmp_path / "file").write_text("")
    said = list[str]()
    with closing(UpkeepThread(where, Retention(folder=tmp_path / "file"), said.append, lambda: LATER_MS)):
        wait_until(lambda: bool(said), 60.0, "a sentence")
    assert "the archive cannot be written" in said[0]
    assert only(store).stored == 1
