"""The shut-down sequences of the bench, in an order that never gives a live BMS open wires."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.channel_names import CONTACTOR
from drivers.clock import monotonic
from drivers.errors import PulseError, describe_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.engine.live_bench import LiveBench

ANSWER_S: Final = 0.2


def make_safe(station: LiveBench) -> list[str]:
    """Run the declared safe sequence on the engine's own connections: current 0, supply off, contactors open.

    Return a sentence for each request that failed, and one if the contactors are not verified open.
    """
    trouble: list[str] = []
    asked_s = monotonic()
    _attempt(trouble, lambda: station.supply.set_current(0.0))
    _attempt(trouble, lambda: station.supply.output(on=False))
    _attempt(trouble, lambda: station.dut.request("open"))
    if not station.wait_until(lambda: station.read(CONTACTOR, since_s=asked_s) == 0.0, station.opens_s):
        trouble.append("contactors are not verified open; use the hard-wired emergency stop")
    return trouble


def power_down(station: LiveBench) -> list[str]:
    """Unpower the device, switch the cells off, release the supply; return a sentence for each failure.

    Call this only after a safe sequence that was verified.
    """
    trouble: list[str] = []
    number = station.guard.disarm()  # the next steps take the cells below their limits on purpose
    station.wait_until(lambda: station.guard.answer(number) is not None, ANSWER_S)  # a dead guard answers nothing
    _attempt(trouble, lambda: station.io_box.power(on=False))
    _attempt(trouble, lambda: station.dut.heartbeat(on=False))
    _attempt(trouble, lambda: station.cells.outputs(on=False))
    _attempt(trouble, lambda: station.supply.lock(on=False))
    return trouble


def _attempt(trouble: list[str], act: Callable[[], None]) -> None:
    """Run one step and note its failure, whatever a vendor's library raises, so that the next steps still run."""
    try:
        act()
    except PulseError as error:
        trouble.append(str(error))
    except Exception as error:  # noqa: BLE001  # the next step must still run
        trouble.append(describe_error(error))
