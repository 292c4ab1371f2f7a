"""Bounds on how long a bench may continue after a fault: on each time, and on their sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.benchfile.units import si_unit, to_si
from drivers.channel_names import SUPPLY_CURRENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.benchfile.model import Bench
    from drivers.errors import BenchFileError

SAFE_ORDER: Final = ("supply off", "contactors open", "cells off")
SAFE_NEEDS: Final = 2  # the cells may stay live, but the first two steps are required
RAMP_S: Final = 2.0  # from the greatest bench current to zero
SOURCE_MS: Final = 2_000  # for the step that switches a source off
CONTACTOR_MS: Final = 10_000  # for a step that waits for contactors or cells
ALL_S: Final = 15.0


@dataclass(frozen=True)
class ShutdownTime:
    """The longest time from a fault to the verified safe state, in s; `current_a` is the greatest bench current."""

    hold_s: float
    ramp_s: float
    current_a: float
    steps: tuple[tuple[str, float], ...]

    @property
    def total_s(self) -> float:
        return self.hold_s + self.ramp_s + sum(within_s for _, within_s in self.steps)

    @property
    def sentence(self) -> str:
        """One sentence with each part and the sum."""
        parts = [f"hold {self.hold_s:g} s", f"ramp from {self.current_a:g} A {self.ramp_s:g} s"]
        parts += [f"{step} {within_s:g} s" for step, within_s in self.steps]
        return f"{' + '.join(parts)} = {self.total_s:g} s of at most {ALL_S:g} s"


def shutdown_time(bench: Bench) -> ShutdownTime:
    """Return the shutdown time that the file declares."""
    current_a = greatest_current_a(bench)
    steps = tuple((step.step, step.within_s) for step in bench.safe)
    return ShutdownTime(bench.gate.hold_ms / 1000, current_a / bench.gate.ramp_a_s, current_a, steps)


def greatest_current_a(bench: Bench) -> float:
    """Return the greatest supply current, in magnitude, that a bench limit allows; 0 without a limit."""
    bounds = [
        abs(to_si(bound, limit.unit))
        for limit in bench.limit
        if limit.bench is not None and si_unit(limit.unit) == "A" and limit.has_channel(SUPPLY_CURRENT)
        for bound in limit.bench
    ]
    return max(bounds, default=0.0)


def mistakes(bench: Bench) -> Iterator[BenchFileError]:
    """Yield an error for every time that is out of bounds."""
    yield from _ages(bench)
    yield from _guard(bench)
    yield from _ramp(bench)
    yield from _order(bench)
    yield from _steps(bench)
    yield from _sum(bench)


def _ages(bench: Bench) -> Iterator[BenchFileError]:
    document, late, lost = bench.document, bench.gate.late_ms, bench.gate.lost_ms
    for source, instrument in bench.instruments.items():
        late_ms: int = getattr(late, source)
        lost_ms: int = getattr(lost, source)
        if late_ms <= instrument.period_ms:
            yield document.mistake(
                ("gate", "late_ms", source),
                f"= {late_ms} ms is not above {source}.period_ms = {instrument.period_ms} ms",
                value=late_ms,
                bound=f"> {instrument.period_ms} ms",
                hint="raise it, or every value counts as late",
            )
        if lost_ms <= late_ms:
            yield document.mistake(
                ("gate", "lost_ms", source),
                f"= {lost_ms} ms is not above late_ms = {late_ms} ms",
                value=lost_ms,
                bound=f"> {late_ms} ms",
                hint="raise it: a value must be late before it is lost",
            )


def _guard(bench: Bench) -> Iterator[BenchFileError]:
    turns_ms = 2000 * bench.bench.period_s
    if bench.guard.silent_ms < turns_ms:
        yield bench.document.mistake(
            ("guard", "silent_ms"),
            f"= {bench.guard.silent_ms} ms is shorter than two turns of the loop ({turns_ms:g} ms)",
            value=bench.guard.silent_ms,
            bound=f">= {turns_ms:g} ms",
            hint="raise it, or a healthy engine counts as dead",
        )


def _ramp(bench: Bench) -> Iterator[BenchFileError]:
    current_a, ramp_a_s = greatest_current_a(bench), bench.gate.ramp_a_s
    if current_a > RAMP_S * ramp_a_s:
        yield bench.document.mistake(
            ("gate", "ramp_a_s"),
            f"= {ramp_a_s:g} A/s takes {current_a / ramp_a_s:g} s from the bench limit {current_a:g} A to zero, "
            f"more than {RAMP_S:g} s",
            value=ramp_a_s,
            bound=f">= {current_a / RAMP_S:g} A/s",
            hint=f"write {current_a / RAMP_S:g} or more, or lower the bench limit of supply/current",
        )


def _order(bench: Bench) -> Iterator[BenchFileError]:
    steps = tuple(step.step for step in bench.safe)
    if steps not in {SAFE_ORDER[:count] for count in range(SAFE_NEEDS, len(SAFE_ORDER) + 1)}:
        declared, order = ", ".join(steps) or "nothing", ", ".join(SAFE_ORDER[:SAFE_NEEDS])
        hint = "a live BMS detects open wires if its cells are switched off first"
        bound = f"{order}, then optionally {SAFE_ORDER[-1]}"
        yield bench.document.mistake(
            ("safe", 0), f"declares {declared}, not {bound}", value=declared, bound=bound, hint=hint
        )
    elif len(steps) > SAFE_NEEDS:  # the file must not declare a step that is never executed
        at, hint = ("safe", SAFE_NEEDS, "step"), "remove the step: the cells stay live, and the state shows it"
        what = f'= "{SAFE_ORDER[-1]}" is not supported yet'
        yield bench.document.mistake(
            at, what, value=SAFE_ORDER[-1], bound=", ".join(SAFE_ORDER[:SAFE_NEEDS]), hint=hint
        )


def _steps(bench: Bench) -> Iterator[BenchFileError]:
    for number, step in enumerate(bench.safe):
        most_ms = SOURCE_MS if step.step == "supply off" else CONTACTOR_MS
        if step.within_ms > most_ms:
            yield bench.document.mistake(
                ("safe", number, "within_ms"),
                f'= {step.within_ms} ms is more than {most_ms} ms for "{step.step}"',
                value=step.within_ms,
                bound=f"<= {most_ms} ms",
                hint="shorten it: a safe step must not take longer",
            )


def _sum(bench: Bench) -> Iterator[BenchFileError]:
    time = shutdown_time(bench)
    if time.total_s > ALL_S:
        yield bench.document.mistake(
            ("safe", len(bench.safe) - 1, "within_ms") if bench.safe else ("gate",),
            f"makes the time to the safe state too long: {time.sentence}",
            value=round(time.total_s, 3),
            bound=f"<= {ALL_S:g} s",
            hint="shorten a step, or raise gate.ramp_a_s",
        )
