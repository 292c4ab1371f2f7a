"""Many light nodes in one process and one asyncio loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from edge_bridge.edge.clocks import MachineClocks
from edge_bridge.edge.node import NodeNames
from workbench.demo.light_node import LightNode

if TYPE_CHECKING:
    import threading

END_S: Final = 3.0  # for the last acknowledgements


async def run_light_nodes(
    url: str, names: list[str], stop: threading.Event, *, group: str, host: str, rate_hz: float
) -> list[LightNode]:
    """Run the nodes until `stop`, spread over each period; then wait for acknowledgements and leave in order."""
    nodes = [LightNode(url, NodeNames(group, name, host), MachineClocks(), place) for place, name in enumerate(names)]
    links = [asyncio.create_task(_run_link(node)) for node in nodes]
    turns = [asyncio.create_task(_turn(node, rate_hz, place / len(nodes))) for place, node in enumerate(nodes)]
    await asyncio.to_thread(stop.wait)
    await _cancel(turns)
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*(node.wait_until_empty() for node in nodes)), END_S)
    await _cancel(links)
    return nodes


async def _run_link(node: LightNode) -> None:
    try:
        await node.link.run()
    finally:
        node.link.close(node.make_death())


async def _turn(node: LightNode, rate_hz: float, share: float) -> None:
    loop = asyncio.get_running_loop()
    due_s = loop.time() + share / rate_hz
    while True:
        await asyncio.sleep(max(0.0, due_s - loop.time()))
        node.turn()
        due_s = max(due_s + 1.0 / rate_hz, loop.time())


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
