"""The evidence class of a session once its instruments are connected: the connected peers may lower it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.event import Event, Level
from drivers.evidence_class import SIM, explain_class, find_links

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.engine.live_bench import LiveBench


def confirm_evidence(station: LiveBench, tell: Callable[[Event], object]) -> None:
    """Lower the class to SIM where a peer is this machine, in the run as well; report why a bench is only SIM.

    A bench with emulated parts is SIM by its file, and needs no report.
    """
    if station.emulated is not None or not (reason := explain_class(find_links(station.bench, station.peers))):
        return
    if station.evidence_class != SIM:
        station.evidence_class = SIM
        try:
            station.recorder.amend({"evidence": SIM})
        except OSError as error:
            text = f"the evidence class of this run cannot be set to SIM: {error.strerror}"
            tell(Event(Level.ALARM, "record", text))
    tell(Event(Level.WARNING, "session", f"evidence class SIM: {reason}"))
