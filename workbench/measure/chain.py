"""`measure chain`: the cost of verifying a bundle, of Sparkplug and of storing rows between bench and fleet."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.timestamps import format_utc
from workbench.measure.job import describe_conditions, percentile, run_in_turns, time_calls
from workbench.measure.metric import MeasuredMetric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_bridge.metrics import Scalar
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

VERIFY: Final = MeasuredMetric("bundle of 700 kB verified", "ms", "<", 50.0, "its Ed25519 signature alone")
ENCODE: Final = MeasuredMetric("row of 16 values encoded as Sparkplug B", "us", "<", 60.0, "the same values as JSON")
DECODE: Final = MeasuredMetric(
    "row of 16 values decoded from Sparkplug B",
    "us",
    "<",
    60.0,
    "the same values from JSON",
    "every metric is checked for its declaration, type and range, in Python, before anything of a message is taken",
)
SIZE: Final = MeasuredMetric("row of 16 values on the wire", "bytes", "<", 340.0, "the same values as JSON")
KEEP: Final = MeasuredMetric(
    "row into the edge's outbox, committed by itself, p50", "ms", "<", 5.0, "bare SQLite, one commit"
)
STORE: Final = MeasuredMetric(
    "rows stored by the fleet, 100 a commit", "rows/s", ">=", 10_000.0, "bare SQLite, 100 a commit"
)
METRICS: Final = (VERIFY, ENCODE, DECODE, SIZE, KEEP, STORE)

OCTETS: Final = 700_000
AT_ONCE: Final = 100
T_MS: Final = 1_800_000_000_000
BOOT: Final = "00000000000000aa"


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Measure each part beside the bare library that it uses."""
    conditions = describe_conditions()
    job.say("verifying a bundle")
    yield _measure_verify(job, conditions)
    job.say("speaking Sparkplug")
    yield from _measure_encoding(job, conditions)
    job.say("keeping rows")
    yield _measure_outbox(job, conditions)
    job.say("storing rows")
    yield _measure_store(job, conditions)


def _measure_verify(job: MeasureJob, conditions: str) -> MeasureRow:
    from edge_bridge.bundle import archive, envelope, keys  # noqa: PLC0415  # only this figure needs it
    from edge_bridge.bundle.manifest import REQUIRED_MEMBERS, Manifest  # noqa: PLC0415
    from edge_bridge.bundle.verify import verify  # noqa: PLC0415
    from edge_bridge.bundle.write import make_signed_bundle  # noqa: PLC0415

    private, public = keys.make_key(job.folder / "trust", "measure")
    now = datetime.now(UTC).replace(microsecond=0)
    noise = np.random.default_rng(1)
    members = {name: noise.bytes(OCTETS // len(REQUIRED_MEMBERS)) for name in REQUIRED_MEMBERS}
    about = Manifest("measured", 1, format_utc(now), format_utc(now + timedelta(days=1)), "SIM", "", {}, {}, {})
    data, _ = make_signed_bundle(about, members, private)
    signed = envelope.decode_envelope(archive.unpack(data)[envelope.ENVELOPE])
    key, message = keys.read_public(public), envelope.pae(envelope.PAYLOAD_TYPE, signed.payload)
    mine_s, theirs_s = run_in_turns(
        lambda: time_calls(lambda: verify(data, public.parent, now=now), 5),
        lambda: time_calls(lambda: keys.verify_signature(key, message, signed.signature), 5),
        job.times(20),
    )
    return VERIFY.make_row(
        1e3 * percentile(mine_s, 50), 1e3 * percentile(theirs_s, 50), f"{conditions}; median, {len(data)} bytes"
    )


def _make_values() -> dict[str, Scalar]:
    """Return a row as an edge makes it."""
    from edge_bridge import metrics  # noqa: PLC0415  # only this figure needs it

    return {
        metrics.CURRENT: 31.4,
        metrics.VOLTAGE: 91.27,
        metrics.SOC: 0.6123,
        metrics.SOC_STD: 0.0123,
        metrics.CELL_MIN: 3.7812,
        metrics.CELL_MAX: 3.8123,
        metrics.TEMPERATURE: 298.4,
        metrics.BMS_STATE: 3,
        metrics.BMS_FAULT: 0,
        metrics.VERDICT: "allowed",
        metrics.VERDICT_REASON: "",
        metrics.DEPTH: 12,
        metrics.EVICTED: 0,
        metrics.ROW_BOOT: BOOT,
        metrics.ROW_SEQ: 123_456,
        metrics.RECEIVED: 0,
    }


def _measure_encoding(job: MeasureJob, conditions: str) -> Iterator[MeasureRow]:
    from edge_bridge import metrics  # noqa: PLC0415  # only this figure needs it
    from edge_bridge.sparkplug import wire  # noqa: PLC0415
    from edge_bridge.sparkplug.aliases import Aliases  # noqa: PLC0415
    from edge_bridge.sparkplug.payload import Payload  # noqa: PLC0415

    values = _make_values()
    birth = Aliases.from_birth(metrics.make_birth_metrics(values, T_MS))

    def encode() -> bytes:
        return wire.encode(Payload(T_MS, metrics.make_data_metrics(values, T_MS), 7))

    encoded, text = encode(), json.dumps(values)
    work = f"{conditions}; median, from values to bytes and back, aliases resolved"
    for metric, ours, theirs in (
        (ENCODE, encode, lambda: json.dumps(values).encode()),
        (DECODE, lambda: birth.read(wire.decode(encoded)), lambda: json.loads(text)),
    ):
        mine_s, theirs_s = run_in_turns(
            lambda ours=ours: time_calls(ours, 200), lambda theirs=theirs: time_calls(theirs, 200), job.times(20)
        )
        yield metric.make_row(1e6 * percentile(mine_s, 50), 1e6 * percentile(theirs_s, 50), work)
    yield SIZE.make_row(len(encoded), len(text), conditions)


def _measure_outbox(job: MeasureJob, conditions: str) -> MeasureRow:
    from edge_bridge.edge.outbox import Outbox  # noqa: PLC0415  # only this figure needs it
    from workbench.measure.peers.bare_sqlite import BareRows  # noqa: PLC0415

    values, body = _make_values(), json.dumps(_make_values())
    outbox = Outbox(job.folder / "outbox.sqlite", BOOT)
    with closing(outbox), closing(BareRows(job.folder / "bare.sqlite")) as bare:

        def keep() -> None:
            outbox.put(values, T_MS, 0.0)
            outbox.commit(T_MS, 0.0)

        mine_s, theirs_s = run_in_turns(
            lambda: time_calls(keep, 20), lambda: time_calls(lambda: bare.commit([body]), 20), job.times(20)
        )
    return KEEP.make_row(
        1e3 * percentile(mine_s, 50), 1e3 * percentile(theirs_s, 50), f"{conditions}; {len(mine_s)} commits"
    )


def _measure_store(job: MeasureJob, conditions: str) -> MeasureRow:
    from edge_bridge.fleet.columns import COLUMNS  # noqa: PLC0415  # only this figure needs it
    from edge_bridge.fleet.row import StoredRow as FleetRow  # noqa: PLC0415
    from edge_bridge.fleet.store.records import Batch  # noqa: PLC0415
    from edge_bridge.fleet.store.sqlite_store import SqliteStore  # noqa: PLC0415
    from workbench.measure.peers.bare_sqlite import BareRows  # noqa: PLC0415

    body, given = json.dumps(_make_values()), [0]

    def batch() -> Batch:
        first = given[0]
        given[0] += AT_ONCE
        values = tuple(1.0 for _ in COLUMNS)
        rows = [FleetRow("pack", BOOT, first + n, T_MS, False, "", values, None) for n in range(1, AT_ONCE + 1)]  # noqa: FBT003  # a row by place, as the store has it
        return Batch(rows)

    with (
        closing(SqliteStore(job.folder / "fleet.sqlite")) as store,
        closing(BareRows(job.folder / "plain.sqlite")) as bare,
    ):
        mine_s, theirs_s = run_in_turns(
            lambda: time_calls(lambda: store.commit(batch()), 10),
            lambda: time_calls(lambda: bare.commit([body] * AT_ONCE), 10),
            job.times(20),
        )
    mine, theirs = (AT_ONCE / percentile(took_s, 50) for took_s in (mine_s, theirs_s))
    return STORE.make_row(mine, theirs, f"{conditions}; median of {len(mine_s)} commits")
