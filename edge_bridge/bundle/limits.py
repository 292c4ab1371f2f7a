"""The limits of a bench file by channel, in SI units: the member `limits.json`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from drivers.errors import BenchFileError
from drivers.table_json import table_from, table_rows
from edge_bridge.bundle import canonical_json

if TYPE_CHECKING:
    from drivers.benchfile import Bench
    from drivers.snapshot import ChannelTable


def describe_limits(bench: Bench, table: ChannelTable) -> dict[str, Any]:
    """Describe every channel with its plausible range, and its limits with their line; raise `BenchFileError`."""
    over_channels = bench.limits(table)
    channels: list[dict[str, Any]] = []
    for n, row in enumerate(table_rows(table)):
        channel: dict[str, Any] = {"channel": row}
        for side, low, high, where in (
            ("bench", over_channels.low, over_channels.high, over_channels.where),
            ("device", over_channels.device_low, over_channels.device_high, over_channels.device_where),
        ):
            if math.isfinite(low[n]):
                channel[side] = {"low": float(low[n]), "high": float(high[n]), "line": int(where[n].rpartition(":")[2])}
        channels.append(channel)
    return {"channels": channels}


def read_channels(limits: dict[str, Any]) -> ChannelTable:
    """Read the channels of `describe_limits`; raise `ValueError`, `TypeError` or `KeyError` for anything else."""
    return table_from(row["channel"] for row in limits["channels"])


def read_checked_channels(data: bytes, bench: Bench) -> ChannelTable:
    """Read the channels of the member `limits.json`; raise `ValueError` if its limits are not those of `bench`."""
    try:
        table = read_channels(canonical_json.parse_json(data))
        same = canonical_json.dump_json(describe_limits(bench, table)) == data
    except (BenchFileError, KeyError, TypeError) as error:
        raise ValueError(str(error)) from error
    if not same:
        raise ValueError("it and the bench file have different limits")
    return table
