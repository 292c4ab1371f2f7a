"""A keeper on a folder of its own, with nothing put to work but a list."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge_bridge.bundle.verify import Acceptance
from edge_bridge.edge.installer import BundleInstaller
from edge_bridge.edge.probation import STEADY_S, HealthSample
from edge_bridge.edge.slots import Slots

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.bundle.runtime import Configuration

NOW = datetime.now(UTC)
WELL, SICK = HealthSample(), HealthSample(trip="cell_07/voltage 4.31 V above 4.25 V")


class Bench:
    """A keeper on a folder of its own; `launched` has the slots that were put to work."""

    def __init__(self, folder: Path, trust: Path) -> None:
        self.folder, self.trust = folder, trust
        self.said: list[str] = []
        self.launched: list[str] = []
        self.fails = ""
        self.pack_type = ""
        self.keeper = self.restarted()

    def restarted(self) -> BundleInstaller:
        slots = Slots(self.folder / "slots")
        self.keeper = BundleInstaller(
            slots,
            self.folder / "work",
            self.trust,
            state=self.folder,
            accept=Acceptance(pack_type=self.pack_type),
            launch=self._launch,
            log=self.said.append,
        )
        return self.keeper

    def proven(self, path: Path, at_s: float = 0.0) -> None:
        self.keeper.install(path.read_bytes(), NOW, at_s)
        self.keeper.update(at_s, WELL)
        self.keeper.update(at_s + STEADY_S, WELL)
        assert not self.keeper.is_on_probation

    def _launch(self, configured: Configuration) -> None:
        if self.fails:
            raise KeyError(self.fails)
        self.launched.append(configured.dut_map.parent.name)


def serial(keeper: BundleInstaller) -> int:
    return keeper.running.verified.bundle.manifest.serial


def installed(state: Path, trust: Path, bundle: Path) -> None:
    """As an edge leaves a bundle that has proven healthy."""
    Bench(state, trust).proven(bundle)


def told_sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
