"""The process that computes jobs, at low priority: one order in, its progress and its result out."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final, TypeAlias

from drivers.errors import PulseError, Refused
from drivers.processes import end_with_parent, give_way
from edge_bridge.fleet.twins.twin_order import TwinKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from edge_bridge.fleet.twins.twin_order import TwinOrder, TwinResult

    Compute: TypeAlias = Callable[[TwinOrder, Callable[[float], object]], TwinResult]

PROGRESS, RESULT, PROBLEM = "progress", "result", "problem"
STEP: Final = 0.01  # between two reports of progress


def serve_orders(link: Connection, compute: Compute) -> None:
    """Process main: answer each order until the fleet closes the connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the fleet ends this process
    end_with_parent()
    give_way()
    try:
        while True:
            order: TwinOrder = link.recv()
            link.send((PROGRESS, 0.0))  # it has the order
            link.send(_answer(order, compute, link))
    except (EOFError, OSError):
        return


def compute_order(order: TwinOrder, report: Callable[[float], object]) -> TwinResult:
    """Compute an order; raise `PulseError`. The models are imported here, which takes seconds."""
    if order.kind is TwinKind.ESTIMATES:
        from edge_bridge.fleet.twins.estimates import run_estimates  # noqa: PLC0415  # as above

        return run_estimates(order, report)
    from edge_bridge.fleet.twins.day_forecast import run_forecast  # noqa: PLC0415  # as above

    return run_forecast(order, report)


def _answer(order: TwinOrder, compute: Compute, link: Connection) -> tuple[str, object]:
    told = 0.0

    def report(part: float) -> None:
        nonlocal told
        if part - told >= STEP:
            told = part
            link.send((PROGRESS, part))

    try:
        return RESULT, compute(order, report)
    except PulseError as error:
        return PROBLEM, error.as_json()
    except ModuleNotFoundError as error:
        what, hint = f"this fleet cannot run models: {error.name} is missing", "install pulsebms[fleet,bench]"
        return PROBLEM, Refused(what, key="no_package", value=error.name, hint=hint).as_json()
    except Exception as error:  # noqa: BLE001  # a model may fail in any way
        what = f"the model failed: {type(error).__name__}: {error}"
        return PROBLEM, Refused(what[:400], key="model", hint="send the log of the fleet to its authors").as_json()
