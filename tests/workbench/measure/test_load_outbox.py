"""A device of the load sends the rows that a real edge would send, whatever is lost on the way."""

from __future__ import annotations

import random
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from edge_bridge import metrics
from edge_bridge.edge.outbox import Outbox
from edge_bridge.fleet import commands
from edge_bridge.sparkplug import wire
from edge_bridge.sparkplug.aliases import Aliases
from tests.edge_bridge.edge.sending_edge import BOOT, SendingEdge
from workbench.measure.fleet_load.load_outbox import LoadOutbox

if TYPE_CHECKING:
    from pathlib import Path

STEPS = 120
DECLARED = Aliases.from_birth(metrics.make_birth_metrics({metrics.BD_SEQ: 0}, 0))
ONLY = np.zeros(1, np.int64)


def send(edge: SendingEdge) -> list[int]:
    """The numbers of the rows that the edge sends now."""
    edge.hands.sent.clear()
    edge.uplink.send_rows()
    found = [DECLARED.read(wire.decode(message.payload))[metrics.ROW_SEQ].value for message in edge.hands.sent]
    return cast("list[int]", found)


@pytest.mark.parametrize("seed", range(6))
def test_a_device_of_the_load_sends_what_an_edge_sends(tmp_path: Path, seed: int) -> None:
    draw, load = random.Random(seed), LoadOutbox(1)
    with closing(Outbox(tmp_path / "outbox.sqlite", BOOT)) as outbox:
        edge = SendingEdge(tmp_path, cast("Any", None), outbox)
        edge.up()
        on_the_way, counts, lost = list[tuple[float, list[int]]](), list[int](), 0.0
        for step in range(STEPS):
            edge.hands.pass_s(draw.choice([0.1, 0.5, 1.0]))
            now_s = edge.hands.now_s
            if step % 20 == 0:
                lost = draw.choice([0.0, 0.0, 0.3, 1.0])
            edge.rows(1)
            load.make_rows(ONLY, edge.hands.wall_ms, now_s)
            numbers = send(edge)
            assert load.take_due(ONLY, now_s).numbers.tolist() == numbers
            counts.append(len(numbers))
            on_the_way.append((now_s + draw.choice([0.2, 2.5]), numbers))
            heard = [seqs for due_s, seqs in on_the_way if due_s <= now_s and seqs and draw.random() >= lost]
            on_the_way = [one for one in on_the_way if one[0] > now_s]
            for seqs in heard:
                edge.hear(*commands.make_acknowledgements("pulsebms", {"pack-1": {BOOT: seqs}}, 1))
                load.acknowledge(0, [(seq, seq) for seq in seqs], now_s)
            if draw.random() < 0.03:
                edge.hear(commands.make_state("fleet", 6_000 + step, online=True))
                load.mark_unsent(0)
            assert load.waiting == edge.outbox.depth
        assert max(counts) > 4, "the window has grown"
