"""Behaviour in which devices under test differ: tables of the device map, every key optional."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from drivers.benchfile.model import PeriodMs, Section, Text
from drivers.channel_names import BMS_FAULT

PERIOD_MS: Final = 50  # of a cyclic request if neither the request nor a heartbeat declares a period
CountsFrom: TypeAlias = Literal[0, 1]
Milliseconds: TypeAlias = Annotated[int, Field(ge=0, le=60_000)]


class HeartbeatRow(Section):
    """`[heartbeat]`: absent if the device expects none."""

    message: Text
    period_ms: PeriodMs


class RequestRow(Section):
    """`[request]`: what the engine requests, and how the device accepts it.

    `none` is absent if the device has no such value; `open` is then requested instead. `balance` is the meaning of a 1
    in `balance_signal`. The device ignores an equal request within `ignored_ms` of the one before.
    """

    message: Text
    signal: Text
    none: int | None = None
    open: int
    close: int
    reset_signal: Text | None = None
    balance_signal: Text | None = None
    balance: Literal["off", "on"] = "off"
    send: Literal["cyclic", "on change"] = "cyclic"
    period_ms: PeriodMs | None = None
    ignored_ms: Milliseconds = 0
    recover: Literal["none", "open"] | None = None

    @property
    def words(self) -> dict[str, int]:
        """The value of each word that may be requested."""
        return {"open": self.open, "close": self.close, "none": self.open if self.none is None else self.none}

    @property
    def recovery(self) -> Literal["none", "open"]:
        """The request by which the device leaves its fault."""
        return self.recover or ("open" if self.none is None else "none")


class TimesRow(Section):
    """`[times]`: how long the device may take; see docs/device-maps.md."""

    settle_ms: Milliseconds = 300
    current_ms: Milliseconds = 300
    healthy_ms: Milliseconds = 2_000
    close_ms: Milliseconds = 2_000
    try_ms: Milliseconds = 1_000
    open_ms: Milliseconds = 4_000
    clear_ms: Milliseconds = 0


class HealthRow(Section):
    """`[health]`: the device has no fault while `channel` reads one of `healthy` (numbers, or names of the DBC)."""

    channel: Text = BMS_FAULT
    healthy: Annotated[tuple[float | str, ...], Field(strict=False, min_length=1)] = (0.0,)


class FaultRow(Section):
    """`[[fault]]`: several flags that are one fault; the first row with a raised flag is the device's fault.

    `flags` are mapped channels, raised by any value but 0, or by those in `raised`. `place` is the channel with the
    number of the cell or sensor, counted from `counts_from`; absent if there is none.
    """

    name: Text
    flags: Annotated[tuple[Text, ...], Field(strict=False, min_length=1)]
    raised: Annotated[tuple[float, ...], Field(strict=False)] = ()
    place: Text | None = None
    counts_from: CountsFrom = 1
