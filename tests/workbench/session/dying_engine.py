"""An engine that dies after its guard has reported: the target of a spawned process."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

from control.guard_reports import GuardResult, TripReport
from control.state import BenchState, OutputState
from workbench.session.messages import StatusUpdate
from workbench.session.status import SessionStatus

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from workbench.session.order import EngineOrder


def run_dying_engine(order: EngineOrder, client: Connection, guard_client: Connection) -> None:
    """Say that it runs, let the guard report off, and die once the client has asked for something."""
    del order
    client.send(StatusUpdate(SessionStatus(state=BenchState.RUNNING, output=OutputState.ENERGISED)))
    client.recv()
    guard_client.send(TripReport(1, (), "engine has died", GuardResult.SAFE, (), 1.0, math.nan, 1.02, ()))
    client.recv()
    os._exit(9)
