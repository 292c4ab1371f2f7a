"""Evidence from the instruments' own journals; every reaction time of the selftest comes from here."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drivers import source_names
from drivers.clock import monotonic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOOK_AGAIN_S = 0.02


@dataclass(frozen=True)
class SupplyOff:
    """The supply's output went off at `t_s`, caused by a message on the connection from `port`."""

    t_s: float
    port: int


def read_journal(bench_folder: Path, instrument: str) -> Iterator[dict[str, Any]]:
    """Yield the complete lines of an instrument's journal."""
    path = bench_folder / f"{instrument}.journal.jsonl"
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield json.loads(line)


def wait_for_entry(
    bench_folder: Path, instrument: str, after_s: float, fits: Callable[[dict[str, Any]], bool], within_s: float
) -> dict[str, Any] | None:
    """Return the first entry after `after_s` that fits; wait up to `within_s` until it is written, else return None."""
    until_s = monotonic() + within_s
    while True:
        for entry in read_journal(bench_folder, instrument):
            if entry["t"] >= after_s and fits(entry):
                return entry
        if monotonic() > until_s:
            return None
        time.sleep(LOOK_AGAIN_S)


def find_supply_off(bench_folder: Path, after_s: float, within_s: float = 3.0) -> SupplyOff | None:
    """Return when the supply's output went off after `after_s`, and whose message caused it."""
    entry = wait_for_entry(bench_folder, source_names.SUPPLY, after_s, lambda entry: entry.get("output") == 0, within_s)
    if entry is None:
        return None
    return SupplyOff(entry["t"], _parse_port(entry.get("cause")))


def find_requested_off(
    bench_folder: Path, after_s: float, ports: frozenset[int], within_s: float = 3.0
) -> SupplyOff | None:
    """Return when the supply was off and one of `ports` had requested it, whoever requested it first.

    The engine, too, sees that a window ended and switches off at the same time: either may be the first.
    """
    off = find_supply_off(bench_folder, after_s, within_s)
    if off is None or off.port in ports:
        return off
    asked = wait_for_entry(
        bench_folder,
        source_names.SUPPLY,
        after_s,
        lambda entry: _is_off_request(entry) and _parse_port(entry["conn"]) in ports,
        within_s,
    )
    return off if asked is None else SupplyOff(max(off.t_s, asked["t"]), _parse_port(asked["conn"]))


def _is_off_request(entry: dict[str, Any]) -> bool:
    message = str(entry.get("in", "")).upper()
    return "OUTP" in message and message.endswith("OFF")


def _parse_port(peer: object) -> int:
    port = str(peer or "").rpartition(":")[2]
    return int(port) if port.isdigit() else 0


def measure_limit_to_off_ms(bench_folder: Path, asked_s: float, guard_ports: frozenset[int]) -> float | None:
    """Return the time (ms) from a cell moved behind the gate after `asked_s` to the supply off by the guard.

    Return None if no cell was moved or the guard did not turn the supply off.
    """
    crossed = wait_for_entry(
        bench_folder, source_names.CELL_SIMULATOR, asked_s, lambda entry: entry.get("fault") == "cell_offset", 0.0
    )
    off = None if crossed is None else find_supply_off(bench_folder, crossed["t"], 0.0)
    return None if crossed is None or off is None or off.port not in guard_ports else 1e3 * (off.t_s - crossed["t"])
