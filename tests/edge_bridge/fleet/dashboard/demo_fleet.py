"""A fleet's database of packs in varied state: some trip, some are silent, one tells markup as its texts."""

from __future__ import annotations

import math
import random
from contextlib import closing
from typing import TYPE_CHECKING, Final

from edge_bridge import metrics
from edge_bridge.fleet.columns import COLUMNS
from edge_bridge.fleet.documents.sql_documents import SqlDocuments
from edge_bridge.fleet.events import CRITICAL, INFO, WARNING
from edge_bridge.fleet.row import StoredRow
from edge_bridge.fleet.sites.site import KIND, FleetSite
from edge_bridge.fleet.store.open_store import open_store, parse_address
from edge_bridge.fleet.store.records import Batch, Birth, NodeEvent, NodeRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_bridge.metrics import Scalar

BOOT: Final = "00c0ffee00000001"
MARKUP: Final = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>"
HOSTILE: Final = "hamburg-0000"  # its texts are markup
TRIPPED: Final = "hamburg-0007"
SITES: Final = ("hamburg", "lyon", "porto", "turku")
GROUPS: Final = ("harbour", "town")  # of hamburg and porto, of lyon and turku
STEP_MS: Final = 60_000
_REASONS: Final = {
    "tripped": "cell_07/voltage 4.31 V above 4.25 V",
    "held": "supply/current 61 ms old, expected every 40 ms",
    "allowed": "",
}


def name_pack(number: int) -> str:
    return f"{SITES[number % len(SITES)]}-{number:04d}" if number != 7 else TRIPPED  # a known one


def fill_fleet(path: Path | str, packs: int, now_ms: int, *, measured: int = 8, hours: int = 24) -> None:
    """Fill a new database; the first `measured` packs have rows of so many hours, a minute apart, with a gap."""
    store = open_store(path)
    choose = random.Random(14)  # the same fleet each time
    for first in range(0, packs, 1_000):
        batch = Batch()
        for number in range(first, min(first + 1_000, packs)):
            _add_pack(batch, number, now_ms, choose)
        store.commit(batch)
    for number in range(min(measured, packs)):
        store.commit(Batch(rows=list(make_rows(name_pack(number), now_ms, hours))))
    store.close()
    with closing(SqlDocuments(parse_address(path))) as documents:
        names = [name_pack(number) for number in range(packs)]
        for site in SITES:
            at_site = tuple(sorted(name for name in names if name.startswith(site)))
            documents.put(KIND, site, FleetSite(site, devices=at_site).body)


def make_rows(node: str, now_ms: int, hours: int) -> Iterator[StoredRow]:
    """Yield a day of charge and discharge; between 40 % and 45 % of the span the pack was silent."""
    count = hours * 60
    for seq in range(2, count + 1):
        if not 0.40 < seq / count < 0.45:  # a share
            t_ms = now_ms - (count - seq) * STEP_MS
            yield StoredRow(node, BOOT, seq, t_ms, historical=False, clock="", values=make_values(t_ms, node), gap=None)


def make_values(t_ms: int, node: str, verdict: str = "allowed") -> tuple[Scalar, ...]:
    """Return the values of a row: a cycle of six hours."""
    phase = 2 * math.pi * ((t_ms / 21_600_000) % 1.0) + sum(map(ord, node)) % 7
    soc = 0.55 - 0.3 * math.cos(phase)
    current = -62.0 * math.sin(phase)
    cell = 3.30 + 0.1 * (soc - 0.5) - 0.0006 * current
    values: dict[str, Scalar] = {
        "current_a": current,
        "voltage_v": 24 * cell,
        "soc": soc,
        "soc_std": 0.012 + 0.01 * abs(math.sin(phase / 2)),
        "cell_min_v": cell - 0.011,
        "cell_max_v": cell + 0.014,
        "temperature_max_k": 301.0 + 4 * math.sin(phase / 2) ** 2,
        "bms_state": 3,
        "bms_fault": 0,
        "gate_verdict": verdict,
        "gate_reason": _REASONS[verdict],
        "soh": 0.92,
        "soh_std": 0.012,
        "soh_min": 0.89,
        "resistance_growth": 0.08,
        "resistance_growth_std": 0.02,
    }
    return tuple(values[column.name] for column in COLUMNS)


def _add_pack(batch: Batch, number: int, now_ms: int, choose: random.Random) -> None:
    node = name_pack(number)
    luck = choose.random()
    verdict = "tripped" if node == TRIPPED or luck < 0.002 else "held" if luck < 0.01 else "allowed"
    online = not 0.01 < luck < 0.03 and number not in {3, 11}  # two that are always offline
    last_ms = now_ms - (choose.randrange(900) if online else choose.randrange(60_000, 6_000_000))
    status = dict(zip((column.metric for column in COLUMNS), make_values(last_ms, node, verdict), strict=True))
    status |= {
        metrics.SOH: round(0.99 - 0.12 * choose.random() ** 2, 4),
        metrics.SHA256: f"{number % 3:02x}" * 32,
        metrics.NAME: "lfp24",
        metrics.SERIAL: 20_261_120_080_000 + number % 3,
        metrics.EVIDENCE: ("PACK", "HIL", "SIM")[number % 3],
        metrics.STATE: "healthy",
        metrics.DEPTH: 0 if online else choose.randrange(2_000),
        metrics.EVICTED: 0,
    }
    if node == HOSTILE:
        status |= {metrics.NAME: MARKUP, metrics.VERDICT_REASON: MARKUP, metrics.REASON: MARKUP}
        batch.events.append(NodeEvent(node, now_ms - 9_000, "bms-fault", CRITICAL, MARKUP, is_alarm=True))
    elif number % 17 == 5:  # some never told most of it
        for metric in (metrics.SOC, metrics.SOC_STD, metrics.SOH, metrics.SOH_STD, metrics.TEMPERATURE):
            status.pop(metric)
    group = GROUPS[number % len(SITES) % len(GROUPS)]
    batch.notes[node] = NodeRecord(node, online, last_ms, status, group)
    batch.births.append(Birth(node, now_ms - 86_400_000, 0, None, (BOOT, 1), group=group))
    batch.events += _make_events(node, verdict, last_ms, online=online)


def _make_events(node: str, verdict: str, last_ms: int, *, online: bool) -> Iterator[NodeEvent]:
    yield NodeEvent(node, last_ms - 3_600_000, "online", INFO, "the device is online")
    if verdict == "tripped":
        yield NodeEvent(node, last_ms, "tripped", CRITICAL, _REASONS[verdict], is_alarm=True)
    if verdict == "held":
        yield NodeEvent(node, last_ms, "held", WARNING, _REASONS[verdict])
    if not online:
        yield NodeEvent(
            node, last_ms, "offline", WARNING, "the connection was lost; the will was received", is_alarm=True
        )
