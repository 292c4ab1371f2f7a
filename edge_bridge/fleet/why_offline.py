"""Why a device is offline: what the evidence says, the likeliest cause first. No clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LOOP_BIRTHS: Final = 5
LOOP_MS: Final = 600_000
STALE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class DeviceEvidence:
    """What is known of a device: `births_ms` the newest first, events as kind and time, the newest first."""

    now_ms: int
    is_known: bool
    is_online: bool
    host_trouble: str
    last_ms: int | None
    births_ms: Sequence[int]
    events: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause by name, and the evidence for it in a sentence."""

    cause: str
    evidence: str


def diagnose(known: DeviceEvidence) -> list[Finding]:
    """Return the findings, the likeliest cause first; never empty."""
    found = list[Finding]()
    if known.host_trouble:
        found.append(Finding("host-offline", f"the fleet itself is not connected: {known.host_trouble}"))
    if not known.is_known:
        words = "no birth of this name was ever received: it never connected, its name differs, or it is not listed"
        return [*found, Finding("never-seen", words)]
    latest = dict(reversed(known.events))
    recent = [t_ms for t_ms in known.births_ms if t_ms >= known.now_ms - LOOP_MS]
    if len(recent) >= LOOP_BIRTHS:
        words = f"{len(recent)} births in the last {LOOP_MS // 60_000} minutes: it restarts, or its link drops"
        found.append(Finding("birth-loop", words))
    if "clock-wrong" in latest and latest.get("clock-right", 0) <= latest["clock-wrong"]:
        found.append(Finding("clock-wrong", "its newest rows had an impossible time"))
    if known.is_online:
        return [*found, _describe_online(known)]
    if "revoked" in latest and latest["revoked"] >= latest.get("online", 0):
        age_s = max(0, known.now_ms - latest["revoked"]) // 1000
        words = f"its certificate was revoked {age_s} s ago: it was cut off, and stays so until it is enrolled again"
        return [Finding("revoked", words), *found]
    if not known.host_trouble and "offline" in latest:
        age_s = max(0, known.now_ms - latest["offline"]) // 1000
        words = f"its connection ended {describe_age(age_s)} ago: power or network was lost, or its program ended"
        found.append(Finding("connection-ended", words))
    if not found:
        found.append(Finding("no-birth", "the fleet knows it from an earlier start; no birth was received since"))
    return found


def describe_age(age_s: int) -> str:
    """Return an age in the largest unit of which there are two or more."""
    for unit_s, word in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if age_s >= 2 * unit_s:
            return f"{age_s // unit_s} {word}"
    return f"{age_s} s"


def _describe_online(known: DeviceEvidence) -> Finding:
    age_ms = known.now_ms - known.last_ms if known.last_ms is not None else None
    if age_ms is None or age_ms > STALE_MS:
        words = "no row was stored yet" if age_ms is None else f"its newest row is {describe_age(age_ms // 1000)} old"
        return Finding("silent", f"it is online, but {words}")
    return Finding("online", "it is online and sends rows")
