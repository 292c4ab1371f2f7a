"""Recovery of the device to no fault and closed contactors, by the requests that its map allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.errors import Blocked

if TYPE_CHECKING:
    from workbench.certify.bench import CaseBench

TRIES: Final = 3
APART_S: Final = 0.06  # between two requests, so that each is sent


def clear_fault(bench: CaseBench) -> None:
    """Clear the fault with the device's recovery request, once the cause is gone; a reset acts on its rising edge.

    Raise `Blocked` when the device keeps its fault.
    """
    if bench.is_healthy():
        return
    device = bench.device
    bench.hold(device.clear_s)
    for _ in range(TRIES):
        bench.request(device.recovery)
        bench.hold(APART_S)
        bench.request(device.recovery, reset=True)
        if bench.until(bench.is_healthy, device.try_s):
            bench.request(device.recovery)
            return
    raise Blocked(
        f"the device under test still reports its fault {bench.fault()}", hint="power it off and find the cause"
    )


def close_contactors(bench: CaseBench) -> None:
    """Request closed contactors; a request counts once, so withdraw it before each new try. Raise `Blocked`."""
    if bench.contactor_closed():
        return
    for _ in range(TRIES):
        bench.request("none")
        bench.hold(APART_S)
        bench.request("close")
        if bench.until(bench.contactor_closed, bench.device.close_s):
            return
    raise Blocked(
        f"the contactors do not close; the device reports {bench.fault()}", hint="check the state of the device"
    )
