"""The question to one instrument of a bench who it is; nothing is set and nothing is switched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.errors import WrongModel
from drivers.identity import has_model
from drivers.scpi.cell_simulator import CellSimulator
from drivers.scpi.io_box import IoBox
from drivers.scpi.link import ScpiLink
from drivers.scpi.supply import Supply

if TYPE_CHECKING:
    from drivers.benchfile.model import InstrumentSection

DRIVERS: Final = {"cell_simulator": CellSimulator, "supply": Supply, "io_box": IoBox}


def read_identity(section: str, declared: InstrumentSection) -> str:
    """Return the identity of the instrument of `section`; raise `WrongModel`, or `LinkError` if it does not answer."""
    timeouts = DRIVERS[section].kept.from_bench(declared.timeouts_ms.seconds)
    with ScpiLink.open(declared.address, timeouts.identify, open_s=timeouts.open) as link:
        identity = link.ask(DRIVERS[section].identity_query).decode("ascii", "replace").strip()
    if not has_model(identity, declared.expect):
        raise WrongModel(
            f"answers as {identity}",
            where=declared.address,
            value=identity,
            bound=declared.expect,
            hint=f"expected {declared.expect}; check the address",
        )
    return identity
