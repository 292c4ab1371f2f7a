"""Processes that fill an outbox, acknowledge some of it, and are killed at any moment."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from edge_bridge.edge.outbox import Outbox
from edge_bridge.edge.row import OutboxRow, RowKey
from tests.edge_bridge.edge.rows import gaps
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
KILLS = 6
AT_WORK = """
import json
import sys
from pathlib import Path
from edge_bridge.edge.outbox import Outbox

path, boot, told = Path(sys.argv[1]), sys.argv[2], open(sys.argv[3], "a", buffering=1)
outbox = Outbox(path, boot, capacity_rows=300)
print("begun", flush=True)
number = 0
while True:
    number += 1
    outbox.put({"Pack/Current": float(number)}, number, float(number))
    outbox.commit(number, float(number))
    if number % 3 == 0:
        for row in outbox.due(2, float(number)):
            outbox.mark_sent([row], float(number))
            told.write(json.dumps([row.key.boot, row.key.seq, row.values]) + chr(10))  # the host has stored it
            outbox.acknowledge(row.key.boot, [(row.key.seq, row.key.seq)])
"""


def test_no_row_is_lost_or_numbered_twice_when_the_edge_is_killed_at_any_moment(tmp_path: Path) -> None:
    path, told = tmp_path / "o.sqlite", tmp_path / "stored"
    chance = random.Random(3)
    for kill in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", AT_WORK, str(path), f"{kill:016x}", str(told)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        with process.stdout:
            assert process.stdout.readline() == b"begun\n"
            size = told.stat().st_size + chance.randrange(10_000)
            wait_until(lambda size=size: told.stat().st_size >= size, what="more rows", every_s=0.001)
            process.kill()
            process.wait()
    stored: dict[RowKey, OutboxRow] = {}
    for line in told.read_text().splitlines():
        boot, seq, values = json.loads(line)
        row = OutboxRow(RowKey(boot, seq), 0, values, live=False)
        assert stored.setdefault(row.key, row) == row  # the same number is never another row
    with closing(Outbox(path, "ff", capacity_rows=300)) as outbox:
        assert outbox.notice == ""
        produced = {RowKey(boot, seq) for boot, last in outbox.boots.items() for seq in range(1, last + 1)}
        depth, waiting = outbox.depth, list[OutboxRow]()
        while rows := outbox.due(1_000, 1e9):
            waiting += rows
            for row in rows:
                outbox.acknowledge(row.key.boot, [(row.key.seq, row.key.seq)])
        assert (len(waiting), outbox.depth) == (depth, 0)
    assert len({key.boot for key in produced}) == KILLS
    named = gaps([*waiting, *stored.values()])
    assert {row.key for row in waiting} | named | set(stored) == produced
    assert not named & {row.key for row in waiting}
