"""An engine that dies after its guard has reported: the target of a spawned process."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

from control.guard_reports import GuardResult, ResetAnswer, TripReport
from control.state import BenchState, OutputState
from workbench.session.messages import Closed, RequestProgress, StatusUpdate
from workbench.session.status import SessionStatus

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from workbench.session.order import EngineOrder


RUNNING = StatusUpdate(SessionStatus(state=BenchState.RUNNING, output=OutputState.ENERGISED))
REPORT = TripReport(1, (), "engine has died", GuardResult.SAFE, (), 1.0, math.nan, 1.02, ())


def run_dying_engine(order: EngineOrder, client: Connection, guard_client: Connection) -> None:
    """Say that it runs, let the guard report off, and die once the client has asked for something."""
    _die(order, client, guard_client, [REPORT], speaks_on=False)


def run_engine_that_speaks_on(order: EngineOrder, client: Connection, guard_client: Connection) -> None:
    """Send one more status after the guard has reported: the loop hangs, another thread does not."""
    _die(order, client, guard_client, [REPORT], speaks_on=True)


def run_engine_after_reset(order: EngineOrder, client: Connection, guard_client: Connection) -> None:
    """Die long after the trip that the guard has reported was reset."""
    _die(order, client, guard_client, [REPORT, ResetAnswer(1, "")], speaks_on=True)


def run_engine_that_seals(order: EngineOrder, client: Connection, guard_client: Connection) -> None:
    """Close the bench, then seal until the client has sent something."""
    del order, guard_client
    client.send(Closed(is_released=True, output=OutputState.DE_ENERGISED))
    client.recv()


def run_engine_that_reads_nothing_back(order: EngineOrder, client: Connection, guard_client: Connection) -> None:
    """Connect, and at OUTPUTS OFF close the bench, at rest, with outputs that answer no read-back; then seal."""
    del order, guard_client
    client.recv()
    client.send(StatusUpdate(SessionStatus(state=BenchState.CONNECTED, output=OutputState.UNKNOWN)))
    client.recv()
    client.send(Closed(is_released=True, output=OutputState.UNKNOWN))
    client.recv()


def _die(
    order: EngineOrder, client: Connection, guard_client: Connection, reports: list[object], *, speaks_on: bool
) -> None:
    del order
    client.send(RUNNING)
    client.recv()
    for report in reports:
        guard_client.send(report)
    if speaks_on:
        client.recv()  # the client has read the reports
        client.send(RUNNING)
        client.send(RequestProgress(0, "still there"))
    client.recv()
    os._exit(9)
