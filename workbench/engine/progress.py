"""Progress of connecting and sealing, which take seconds: each step moves while it waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from drivers.clock import monotonic
from drivers.ports import LinkState

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.engine.live_bench import LiveBench

REPORT_S: Final = 0.2
STEP: Final = 0.19  # of the whole, for one wait


class SendProgress(Protocol):
    """Sends a sentence and the fraction done to the client."""

    def __call__(self, sentence: str, fraction: float | None = None) -> None: ...


class ConnectProgress:
    """Waits for the parts of a bench; a wait ends at once when connecting is cancelled."""

    def __init__(self, station: LiveBench, send: SendProgress, is_cancelled: Callable[[], bool]) -> None:
        self._station, self._send, self._is_cancelled = station, send, is_cancelled

    def wait(self, sentence: str, fraction: float, within_s: float, holds: Callable[[LiveBench], bool]) -> bool:
        """Wait until `holds`, from `fraction` of the whole on; return False at the time-out or if cancelled."""
        began_s = monotonic()
        reported_s = -REPORT_S
        done = False

        def look() -> bool:
            nonlocal reported_s, done
            passed_s = monotonic() - began_s
            if passed_s - reported_s >= REPORT_S:
                reported_s = passed_s
                self._send(sentence, fraction + STEP * min(1.0, passed_s / within_s))
            done = holds(self._station)
            return done or self._is_cancelled()

        self._station.wait_until(look, within_s)
        return done


def has_guard_answered(station: LiveBench) -> bool:
    """Whether the guard sends heartbeats, or has ended."""
    return station.guard.alive() or not station.guard_process.is_alive()


def is_answering(station: LiveBench) -> bool:
    """Whether guard and instruments answer, and the bus is open."""
    return station.guard.alive() and station.answering(with_device=False) and station.dut.is_open


def describe_silent(station: LiveBench) -> str:
    """Return a sentence for each instrument that does not answer, and for a bus that is not open."""
    silent = (
        health
        for health in station.health
        if (not station.dut.is_open if health.name == station.dut.name else health.state is not LinkState.OK)
    )
    return "; ".join(f"{health.name} is {health.state}: {health.detail}" for health in silent)


def is_guarded(station: LiveBench) -> bool:
    """Whether the loop turns and the guard has its own connections."""
    return station.loop.tick is not None and station.guard.is_connected


class SealProgress:
    """Reports the fraction of a run that is sealed, a few times a second."""

    def __init__(self, send: SendProgress, ticks: int) -> None:
        self._send, self._ticks = send, ticks
        self._reported_s = float("-inf")

    def report(self, fraction: float) -> None:
        now_s = monotonic()
        if now_s - self._reported_s >= REPORT_S:
            self._reported_s = now_s
            self._send(f"sealing {self._ticks} ticks", fraction)
