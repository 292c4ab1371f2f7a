"""What the later steps of the selftest share: certificate, bundle, trusted keys, processes of edge and fleet."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.benchfile.cell_file import list_cells
from drivers.benchfile.cell_sections import DEFAULT
from workbench.selftest.verb_process import VerbProcess

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.benchfile.model import Pack
    from workbench.compose.broker import Broker

NODE: Final = "selftest-pack"
RATE_HZ: Final = 50


@dataclass
class SelftestChain:
    """Files and processes of the later steps; `out`: the selftest's folder, `defect`: name of the injected defect."""

    out: Path
    defect: str
    certificate: Path | None = None
    report: Path | None = None
    bundle: Path | None = None
    sha256: str = ""
    broker: Broker | None = None
    edge: VerbProcess | None = None
    fleet: VerbProcess | None = None

    @property
    def trust(self) -> Path:
        return self.out / "trust"

    @property
    def database(self) -> Path:
        return self.out / "fleet.sqlite"

    def use_bundle(self, bundle: Path) -> None:
        """Use the bundle of an earlier selftest, and copy the trusted key beside it."""
        self.bundle = bundle
        self.sha256 = hashlib.sha256(bundle.read_bytes()).hexdigest()
        shutil.copytree(bundle.parent / self.trust.name, self.trust)

    def start_fleet(self, url: str) -> VerbProcess:
        """Start the fleet host; it reopens the database of an earlier start."""
        asked = ["fleet", "--broker", url, "--db", str(self.database)]
        if self.defect == "double-row" and not self.database.exists():
            asked += ["--inject-defect", "double-row"]
        self.fleet = VerbProcess("fleet", asked, self.out)
        return self.fleet

    def start_edge(self, url: str, bundle: Path, pack: Pack) -> VerbProcess:
        """Start the edge with an emulated pack like that of the bench; a cell of one's own is taken for the default."""
        asked = ["edge", "--bundle", str(bundle), "--trust", str(self.trust), "--broker", url, "--allow-sim"]
        asked += ["--node", NODE, "--dir", str(self.out / "edge"), "--rate", str(RATE_HZ)]
        cell = pack.cell if pack.cell in list_cells() else DEFAULT
        asked += ["--pack", f"emulated:{pack.cells}:{cell}"]
        if self.defect == "lose-row":
            asked += ["--inject-defect", "lose-row"]
        self.edge = VerbProcess("edge", asked, self.out)
        return self.edge

    def close(self) -> None:
        """Stop the processes and the broker that still run."""
        for process in (self.edge, self.fleet):
            if process is not None and process.is_running:
                process.stop()
        if self.broker is not None:
            self.broker.stop()
            self.broker = None
