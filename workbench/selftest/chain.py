"""What the later half of the selftest hands on: certificate, bundle, trust, and the processes of edge and fleet."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workbench.selftest.verb_process import VerbProcess

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.compose.broker import Broker

NODE: Final = "selftest-pack"
RATE_HZ: Final = 50


@dataclass
class SelftestChain:
    """`out` is the selftest's own folder, `defect` the name of what is injected."""

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
        """Take the bundle of an earlier selftest, with the key that its folder trusts."""
        self.bundle = bundle
        self.sha256 = hashlib.sha256(bundle.read_bytes()).hexdigest()
        shutil.copytree(bundle.parent / self.trust.name, self.trust)

    def start_fleet(self, url: str) -> VerbProcess:
        """The host, which finds its database where it left it."""
        asked = ["fleet", "--broker", url, "--db", str(self.database)]
        if self.defect == "double-row" and not self.database.exists():
            asked += ["--inject-defect", "double-row"]
        self.fleet = VerbProcess("fleet", asked, self.out)
        return self.fleet

    def start_edge(self, url: str, bundle: Path) -> VerbProcess:
        """The edge with an emulated pack beside it."""
        asked = ["edge", "--bundle", str(bundle), "--trust", str(self.trust), "--broker", url, "--allow-sim"]
        asked += ["--node", NODE, "--dir", str(self.out / "edge"), "--rate", str(RATE_HZ)]
        if self.defect == "lose-row":
            asked += ["--inject-defect", "lose-row"]
        self.edge = VerbProcess("edge", asked, self.out)
        return self.edge

    def close(self) -> None:
        """End what still runs."""
        for process in (self.edge, self.fleet):
            if process is not None and process.is_running:
                process.stop()
        if self.broker is not None:
            self.broker.stop()
            self.broker = None
