"""The context of a selftest: its output folder, its session, and how it brings the session to a state."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from control.state import BenchState
from drivers.benchfile.read import read_bench
from drivers.clock import monotonic
from drivers.errors import BenchError
from workbench.compose.defects import NO_DEFECTS
from workbench.compose.named_defects import BENCH_DEFECTS
from workbench.compose.session import open_session
from workbench.engine.injected_faults import find_fault_voltages
from workbench.run_folders import EMULATED
from workbench.selftest.chain import SelftestChain
from workbench.session import waiting
from workbench.signals import raise_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.benchfile.model import Pack
    from workbench.engine.injected_faults import FaultVoltages
    from workbench.session.live_session import LiveSession
    from workbench.session.status import SessionStatus

START_S, RESET_S = 5.0, 10.0
FAULTY_CELL = 7
_ORDER = (BenchState.DISCONNECTED, BenchState.CONNECTED, BenchState.ARMED, BenchState.RUNNING)


@dataclass
class SelftestContext:
    """One selftest; steps store here what later steps need. A step that needs a state calls `bring_to`.

    `defect`: the name of the injected defect, empty for none.
    """

    out: Path
    bench: Path
    defect: str
    say: Callable[[str], None]
    killed_run: Path | None = None
    killed_count: int = 0
    run: Path | None = None
    pictures: list[Path] = field(default_factory=list[Path])
    _session: LiveSession | None = None

    def __post_init__(self) -> None:
        self.chain = SelftestChain(self.out, self.defect)

    def use_earlier(self, files: Mapping[str, str | None]) -> None:
        """Continue with files of an earlier selftest: `run`, `report`, `bundle`."""
        found = {name: Path(path) for name, path in files.items() if isinstance(path, str)}
        self.run = found.get("run")
        if (report := found.get("report")) is not None:
            self.chain.report, self.chain.certificate = report, report.parent
        if (bundle := found.get("bundle")) is not None:
            self.chain.use_bundle(bundle)

    @property
    def session(self) -> LiveSession:
        """The current session; starts an engine when there is none."""
        if self._session is None:
            defects = BENCH_DEFECTS.get(self.defect, NO_DEFECTS)  # steps and verbs inject the others
            self._session = open_session(self.bench, self.out / "runs", defects=defects)
        return self._session

    @property
    def pack(self) -> Pack:
        """The pack that the bench file declares."""
        return read_bench(self.bench).pack

    @property
    def fault_voltages(self) -> FaultVoltages:
        """What the steps take a cell to: past its device limit, and past its bench limit."""
        return find_fault_voltages(read_bench(self.bench))

    @property
    def cells(self) -> int:
        """The number of cells in series of the bench's pack."""
        return self.pack.cells

    @property
    def faulty_cell(self) -> int:
        """The cell that steps inject faults into, from 1."""
        return min(FAULTY_CELL, self.cells)

    @property
    def run_folder(self) -> Path:
        return Path(self.session.status.run_folder)

    @property
    def bench_folder(self) -> Path:
        """The folder where the emulated instruments write their journals."""
        return self.run_folder / EMULATED

    def bring_to(self, wanted: BenchState) -> LiveSession:
        """Bring the session to `wanted` from any state; raise `BenchError` when the bench refuses."""
        session = self.session
        session.poll()
        raise_interrupt()
        if session.status.state is BenchState.TRIPPED:
            waiting.finish(session, session.reset("selftest: the previous step is finished"), RESET_S)
        while find_place(session.status) < _ORDER.index(wanted):
            match session.status.state:
                case BenchState.DISCONNECTED:
                    waiting.finish(session, session.connect(), waiting.CONNECT_S)
                case BenchState.CONNECTED:
                    waiting.finish(session, session.arm(), waiting.ARM_S)
                case _:
                    waiting.finish(session, session.start(), START_S)
            self._wait_for_status(session)
        return session

    @property
    def has_session(self) -> bool:
        return self._session is not None

    def close_session(self) -> None:
        """End the session, if there is one."""
        if self._session is not None:
            self._session.close()
            self._session = None

    @staticmethod
    def _wait_for_status(session: LiveSession) -> None:
        """Wait for the status, which comes right after the response."""
        waiting.idle(session, 0.15)

    @staticmethod
    def now_s() -> float:
        """Return the time in seconds of the clock that the journals use."""
        return monotonic()


def find_place(status: SessionStatus) -> int:
    """Return how far on the way to running the bench is; raise `BenchError` if it tripped."""
    if status.state is BenchState.TRIPPED:
        raise BenchError(f"the bench tripped: {status.trip_reason}", hint="run: python main.py doctor")
    return _ORDER.index(status.state)
