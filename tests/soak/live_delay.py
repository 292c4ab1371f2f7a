"""From the wire to a live client: a broker, a fleet with its API, senders and a client, each a process of its own.

Run `python -m tests.soak.live_delay [DEVICES] [SECONDS]`; the table is printed.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import psutil

from drivers.clock import monotonic
from edge_bridge import metrics
from edge_bridge.fleet.client.live_feed import FeedLost, LiveFeed
from edge_bridge.fleet.client.rest import parse_api_address
from edge_bridge.mqtt import MqttLink, MqttMessage
from edge_bridge.sparkplug import wire
from edge_bridge.sparkplug.payload import Payload
from workbench.compose.broker import start_own_broker
from workbench.compose.fleet_process import FleetProcess

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Event

    from edge_bridge.sparkplug.payload import Value

DEVICES: Final = 1_000
WARM_S: Final = 5.0
BIRTHS_PER_S: Final = 200.0
BOOT: Final = "00c0ffee00000001"
COMMANDS: Final = {metrics.REBIRTH, metrics.DESIRED, metrics.SIZE, metrics.OFFSET, metrics.CHUNK}
STATUS: Final[dict[str, Value]] = {  # with the number and the boot of the row, 30 metrics
    metrics.SHA256: "ab" * 32, metrics.NAME: "hil24", metrics.EVIDENCE: "SIM", metrics.SERIAL: 7,
    metrics.DEPTH: 3, metrics.EVICTED: 0, metrics.VERDICT: "allowed", metrics.VERDICT_REASON: "",
    metrics.CURRENT: -22.0, metrics.VOLTAGE: 93.75, metrics.SOC: 0.63, metrics.SOC_STD: 0.014,
    metrics.CELL_MIN: 3.88, metrics.CELL_MAX: 3.90, metrics.TEMPERATURE: 298.25, metrics.BMS_STATE: 1,
    metrics.BMS_FAULT: 0, metrics.SOH: 0.87, metrics.SOH_STD: 0.012, metrics.SOH_MIN: 0.84, metrics.GROWTH: 0.1,
    metrics.GROWTH_STD: 0.02, metrics.POLICY_STATE: "shadow", metrics.POLICY_STEPS: 100,
    metrics.POLICY_DIFFERENCE: 0.1, metrics.POLICY_VIOLATIONS: 0, metrics.POLICY_INTERVENTIONS: 0,
    metrics.POLICY_OUTSIDE: 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LiveDelay:
    """The result: delays in ms from the time before publishing to the time after the client decoded the message."""

    devices: int
    seconds: float
    published: int
    received: int
    twice: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu: dict[str, float]  # share of one core, by process


def measure(devices: int, seconds: float, folder: Path) -> LiveDelay:
    """Measure with `devices` nodes that send a row of 30 metrics each second."""
    context = multiprocessing.get_context("spawn")
    broker = start_own_broker(folder)
    fleet = FleetProcess(broker.url, folder / "fleet.sqlite")
    stop, ready = context.Event(), context.Event()
    (sent_in, sent_out), (seen_in, seen_out) = context.Pipe(duplex=False), context.Pipe(duplex=False)
    client = context.Process(target=_follow, args=(fleet.url, stop, ready, seen_out))
    sender = context.Process(target=_send, args=(broker.url, devices, stop, sent_out))
    try:
        client.start()
        assert ready.wait(60.0)
        sender.start()
        pids = {"broker": broker.pid, "fleet": fleet.pid, "sender": sender.pid, "client": client.pid}
        processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        time.sleep(WARM_S + devices / BIRTHS_PER_S)  # fixed wait: births, and what is slow only at first
        began_ms = time.time_ns() / 1e6
        before, began_s = {name: sum(one.cpu_times()[:2]) for name, one in processes.items()}, monotonic()
        time.sleep(seconds)  # fixed wait: the measurement itself
        passed_s = monotonic() - began_s
        cpu = {name: (sum(one.cpu_times()[:2]) - before[name]) / passed_s for name, one in processes.items()}
        stop.set()
        sent: int = sent_in.recv()
        delays_ms, twice = seen_in.recv()
    finally:
        stop.set()
        for process in (sender, client):
            if process.pid is not None:
                process.join(30.0)
        fleet.stop()
        broker.stop()
    late = np.asarray([delay for at_ms, delay in delays_ms if at_ms > began_ms] or [np.nan])
    p50, p99 = (float(value) for value in np.percentile(late, (50, 99)))
    return LiveDelay(devices, passed_s, sent, len(delays_ms), twice, p50, p99, float(late.max()), cpu)


def _send(broker: str, devices: int, stop: Event, sent: Connection) -> None:
    """Publish the births, then a row of each device each second, spread over the second."""
    link = MqttLink(broker, "live-delay")
    while not link.is_up:
        link.poll(0.1)
    seqs = dict.fromkeys(range(devices), 1)
    for number in range(devices):
        t_ms = time.time_ns() // 1_000_000
        birth = metrics.make_birth_metrics(STATUS | {metrics.BD_SEQ: 0}, t_ms)  # type: ignore[arg-type]
        link.publish(_message("NBIRTH", number, Payload(t_ms, birth, 0)))
        link.poll(1.0 / BIRTHS_PER_S)
    began_s, count = monotonic(), 0
    while not stop.is_set():
        due = round((monotonic() - began_s) * devices)
        for place in range(count, due):
            number, row = place % devices, place // devices + 1
            t_ms = time.time_ns() // 1_000_000
            values = STATUS | {metrics.ROW_BOOT: BOOT, metrics.ROW_SEQ: row, metrics.CURRENT: float(row % 100)}
            data = metrics.make_data_metrics(values, t_ms)  # type: ignore[arg-type]
            link.publish(_message("NDATA", number, Payload(t_ms, data, seqs[number])))
            seqs[number] = (seqs[number] + 1) % 256
        count = max(count, due)
        link.poll(0.002)
    until_s = monotonic() + 1.0
    while monotonic() < until_s:
        link.poll(0.1)
    link.close()
    sent.send(count)


def _message(kind: str, number: int, payload: Payload) -> MqttMessage:
    return MqttMessage(f"spBv1.0/pulsebms/{kind}/pack-{number:05d}", wire.encode(payload, datatypes=kind == "NBIRTH"))


def _follow(url: str, stop: Event, ready: Event, seen: Connection) -> None:
    """Receive every row until 3 s after the end; send the delays and how many rows came twice."""
    feed = LiveFeed(parse_api_address(url), now_s=monotonic)
    delays_ms, keys, quiet_s = list[tuple[float, float]](), set[tuple[str, int]](), float("inf")
    for message in feed.messages():
        assert not isinstance(message, FeedLost), message
        now_ms = time.time_ns() / 1e6
        if message["type"] == "subscribed":
            ready.set()
        for node, _boot, seq, t_ms, *_ in message.get("rows", ()):
            delays_ms.append((now_ms, now_ms - t_ms))
            keys.add((node, seq))
        if stop.is_set() and quiet_s == float("inf"):
            quiet_s = monotonic() + 3.0
        if monotonic() > quiet_s:
            feed.close()
    seen.send((delays_ms, len(delays_ms) - len(keys)))


if __name__ == "__main__":
    given = [float(text) for text in sys.argv[1:]]
    with tempfile.TemporaryDirectory(prefix="pulsebms-live-") as home:
        found = measure(round(given[0]) if given else DEVICES, given[1] if given[1:] else 30.0, Path(home))
    print(json.dumps({name: getattr(found, name) for name in LiveDelay.__slots__}, indent=1))  # noqa: T201  # a script
