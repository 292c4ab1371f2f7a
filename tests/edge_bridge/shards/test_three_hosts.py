"""Three hosts share the groups of a fleet; one is killed under load, one sleeps past its lease."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from edge_bridge.fleet.shard_choice import find_shard
from edge_bridge.fleet.store.leases import LeaseTable
from edge_bridge.fleet.store.postgres_store import PostgresStore
from fixtures.broker import start_broker
from tests.edge_bridge.fleet.pack import asked
from tests.edge_bridge.shards.light_edges import LightEdges
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy import URL

    from edge_bridge.fleet.store.leases import LeaseState
    from fixtures.broker import Broker

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[3]
GROUPS = [f"site-{number}" for number in range(1, 9)]
MAIN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from workbench.cli import main; sys.exit(main())"


@contextmanager
def running_broker(folder: Path) -> Generator[Broker]:
    broker = start_broker(folder)
    try:
        yield broker
    finally:
        broker.stop()


@contextmanager
def hosts(broker: str, url: URL, count: int, folder: Path) -> Generator[list[subprocess.Popen[Any]]]:
    where = url.render_as_string(hide_password=False)
    groups = [word for group in GROUPS for word in ("--group", group)]
    command = [sys.executable, "-c", MAIN, str(ROOT), "fleet", "--broker", broker, "--store", where, *groups]
    logs = [(folder / f"host-{number}.log").open("w") for number in range(1, count + 1)]
    started = [
        subprocess.Popen([*command, "--shard", f"{number}/{count}"], cwd=ROOT, stdout=log, stderr=log)
        for number, log in enumerate(logs, 1)
    ]
    try:
        yield started
    finally:
        for process in started:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        for log in logs:
            log.close()


def groups_of(shard: int) -> set[str]:
    return {group for group in GROUPS if find_shard(group, 3) == shard}


def test_the_groups_of_a_host_that_dies_or_sleeps_move_and_no_row_is_lost(url: URL, tmp_path: Path) -> None:
    assert all(groups_of(shard) for shard in range(3))
    with (
        running_broker(tmp_path / "broker") as broker,
        closing(PostgresStore(url)) as store,
        closing(LeaseTable(url, "test")) as table,
        hosts(broker.url, url, 3, tmp_path) as processes,
        closing(LightEdges(broker.url, GROUPS, tmp_path)) as edges,
    ):

        def leases() -> dict[int, LeaseState]:
            return table.read()

        def wait_for_rows(shard: int) -> None:
            before = edges.stored(groups_of(shard))
            wait_until(lambda: edges.stored(groups_of(shard)) > before + 50, what=f"rows of shard {shard}", every_s=0.1)

        def wait_for_own(what: str) -> dict[int, str]:
            """Wait until each host has its own shard; return the holders."""
            wait_until(
                lambda: len({state.lease.holder for state in leases().values()} - {""}) == 3,
                what=what,
                every_s=0.2,
            )
            return {shard: state.lease.holder for shard, state in leases().items()}

        holders = wait_for_own("a shard for each host")
        for shard in range(3):
            wait_for_rows(shard)

        processes[0].kill()
        killed_s = time.monotonic()
        wait_until(lambda: leases()[0].lease.holder not in {"", holders[0]}, what="a takeover", every_s=0.1)
        wait_for_rows(0)
        recovery_s = time.monotonic() - killed_s
        assert recovery_s < 60.0  # a lease and a few seconds on a machine that others leave alone

        processes[1].send_signal(signal.SIGSTOP)
        wait_until(lambda: leases()[1].lease.holder not in {"", holders[1]}, what="a takeover", every_s=0.1)
        term = leases()[1].lease.term
        wait_for_rows(1)
        processes[1].send_signal(signal.SIGCONT)  # it asks for its own shard and gets it, under a later term
        wait_until(lambda: leases()[1].lease.holder == holders[1], what="the shard given back", every_s=0.1)
        assert leases()[1].lease.term > term
        wait_for_rows(1)

        edges.is_producing = False
        wait_until(lambda: edges.depth == 0, what="all rows acknowledged", every_s=0.1)
        for edge in edges.edges:
            rows = asked(store, f"SELECT seq, t_ms FROM row WHERE node = '{edge.name}' ORDER BY seq")  # noqa: S608  # our own names
            assert [seq for seq, _ in rows] == list(range(1, edge.outbox.produced + 1))  # none lost, none twice
            assert [t_ms for _, t_ms in rows] == sorted(t_ms for _, t_ms in rows)
            assert set(edge.node.refused) <= {"stale_state"}  # the will of a host that others have contradicted
        assert asked(store, "SELECT count(*) FROM counter WHERE reason IN ('conflict', 'other_group')") == [(0,)]
        assert dict(asked(store, "SELECT node, group_id FROM node")) == {edge.name: edge.group for edge in edges.edges}
