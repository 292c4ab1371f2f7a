"""The class of evidence of a session once its instruments are met: the connected peers may lower it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.evidence_class import SIM, explain_class, find_links
from workbench.session.events import Level

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.engine.station import Station


def confirm_evidence(station: Station, event: Callable[[Level, str, str], None]) -> None:
    """Lower the class to SIM where a peer is this machine, in the run as well; say why a bench is only SIM.

    A bench with emulated parts is SIM by its file, and needs no word about it.
    """
    if station.desk is not None or not (reason := explain_class(find_links(station.bench, station.peers))):
        return
    if station.evidence_class != SIM:
        station.evidence_class = SIM
        try:
            station.recorder.amend({"evidence": SIM})
        except OSError as error:
            event(
                Level.ALARM, "record", f"the class of evidence of this run cannot be lowered to SIM: {error.strerror}"
            )
    event(Level.WARNING, "session", f"evidence class SIM: {reason}")
