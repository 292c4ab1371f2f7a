"""The question to one instrument of a bench who it is; nothing is set and nothing is switched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers import source_names
from drivers.errors import WrongModel
from drivers.identity import has_model
from drivers.scpi.cell_simulator import CellSimulator
from drivers.scpi.io_box import IoBox
from drivers.scpi.link import ScpiLink
from drivers.scpi.supply import Supply

if TYPE_CHECKING:
    from drivers.benchfile.model import InstrumentSection

DRIVERS: Final = {
    source_names.CELL_SIMULATOR: CellSimulator,
    source_names.SUPPLY: Supply,
    source_names.IO_BOX: IoBox,
}


def read_identity(name: str, section: InstrumentSection) -> str:
    """Return the identity of the instrument `name`; raise `WrongModel`, or `LinkError` if it does not answer."""
    timeouts = DRIVERS[name].kept.from_bench(section.timeouts_ms.seconds)
    with ScpiLink.open(section.address, timeouts.identify, open_s=timeouts.open) as link:
        identity = link.ask(DRIVERS[name].identity_query).decode("ascii", "replace").strip()
    if not has_model(identity, section.expect):
        raise WrongModel(
            f"answers as {identity}",
            where=section.address,
            value=identity,
            bound=section.expect,
            hint=f"expected {section.expect}; check the address",
        )
    return identity
