"""The pytest plugin of a certification: fixtures `bench` and `rec`, and a line to the runner for all that happens."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from control.arming import IDENTITIES
from drivers.errors import Blocked, Interrupted, NotApplicable, PulseError
from workbench.certificates.results import CaseInfo, CaseResult, Verdict
from workbench.certify.bench import CaseBench
from workbench.certify.case import MARK, Case, case_of
from workbench.certify.event_stream import STOP, EventStreamWriter
from workbench.certify.events import (
    BenchIdentified,
    CaseBegun,
    CaseEnded,
    CasesCollected,
    CertificationFinished,
    CheckRecorded,
    FileBroken,
)
from workbench.certify.job import read_job
from workbench.certify.record import Record
from workbench.certify.verdict import find_worst

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from workbench.certificates.results import CaseCheck
    from workbench.certify.job import CertificationJob
    from workbench.session.live_session import LiveSession

PLACES = ("cell", "sensor")  # parameters of a case that say where
UNCLEAR = (Verdict.ERROR, Verdict.NA)  # their checks say why
ORPHAN_S = 20.0  # that a case has to end once nobody waits for it


class CertificationPlugin:
    """One certification in this process."""

    def __init__(self, job: CertificationJob) -> None:
        self.job = job
        self.stream = EventStreamWriter(job.out)
        self.has_detected = False
        self.case_bench: CaseBench | None = None
        self._session: LiveSession | None = None
        self._begun_s = time.monotonic()

    @property
    def zero_s(self) -> float:
        """When the case under way began."""
        return self._begun_s if self.case_bench is None else self.case_bench.zero_s

    def bench(self) -> CaseBench:
        """The one bench of all cases, brought up when a first case asks for it."""
        if self.case_bench is None:
            from drivers.benchfile.read import read_bench  # noqa: PLC0415  # a suite that is broken says so at once
            from drivers.canbus.dut_map import read_dut_map  # noqa: PLC0415
            from workbench.certify.device import DeviceRules  # noqa: PLC0415
            from workbench.compose.session import open_session  # noqa: PLC0415

            device = DeviceRules.of(read_dut_map(read_bench(self.job.bench).dut_map))
            # shadow lanes judge nothing here, and would only take their time from the loop
            job = self.job
            self._session = open_session(
                job.bench, job.out / "runs", shadows=False, take_over=job.take_over, defects=job.defects
            )
            self.case_bench = CaseBench(self._session, device, self.job.out / STOP)
        return self.case_bench

    def identify_bench(self) -> None:
        """Write what the bench says of itself, once there is one."""
        if self._session is None:
            return
        status = self._session.status
        identities = [check.values for check in status.checklist if check.name == IDENTITIES]
        instruments = tuple(identities[0].values()) if identities else ()
        self.stream.write(BenchIdentified(status.evidence_class, status.run_folder, instruments))

    def close(self) -> None:
        """Leave the bench in order."""
        if self._session is not None:
            self.identify_bench()
            self._session.close()
            self._session = None
        self.stream.write(CertificationFinished())
        self.stream.close()


_KEY: pytest.StashKey[CertificationPlugin] = pytest.StashKey()
_RECORD: pytest.StashKey[Record] = pytest.StashKey()
_TROUBLE: pytest.StashKey[tuple[Verdict, str]] = pytest.StashKey()
_BEGUN: pytest.StashKey[float] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Begin."""
    config.addinivalue_line("markers", f"{MARK}(case): a certification case, made by @case")
    config.stash[_KEY] = CertificationPlugin(read_job())
    threading.Thread(target=_end_with_parent, args=(read_job().out,), name="parent", daemon=True).start()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave the bench in order, whatever happened."""
    config.stash[_KEY].close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the cases that were asked for, and tell how many there are."""
    certifying = config.stash[_KEY]
    wanted = [item for item in items if (case := case_of(item)) and certifying.job.includes(case.id, variant_of(item))]
    items[:] = wanted
    certifying.stream.write(CasesCollected(tuple(info_of(item) for item in wanted)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A line when a case begins, and one with all that it found when it has ended."""
    certifying = item.config.stash[_KEY]
    if certifying.has_detected and certifying.job.first_detection:
        return True
    item.stash[_BEGUN] = time.time()
    certifying.stream.write(CaseBegun(info_of(item)))
    done = yield
    _write_end(item, certifying)
    return done


def pytest_exception_interact(node: pytest.Item | pytest.Collector, call: pytest.CallInfo[None]) -> None:
    """What stopped a case: the device's state, the bench, or the script itself; a file that cannot be read."""
    if call.excinfo is None:
        return
    if not isinstance(node, pytest.Item):
        said = str(node.repr_failure(call.excinfo)).strip().splitlines()[-1]
        node.config.stash[_KEY].stream.write(FileBroken(node.nodeid, said))
        return
    error = call.excinfo.value
    if isinstance(error, Blocked):
        node.stash[_TROUBLE] = Verdict.BLOCKED, str(error)
    elif isinstance(error, NotApplicable):
        node.stash[_TROUBLE] = Verdict.NA, str(error)
    elif isinstance(error, PulseError):
        node.stash[_TROUBLE] = Verdict.ERROR, str(error)
    else:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.filename}:{where.lineno}"
        node.stash[_TROUBLE] = Verdict.ERROR, f"the script failed: {type(error).__name__}: {error} ({place})"
    if isinstance(error, Interrupted):
        node.session.shouldstop = str(error)


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Generator[CaseBench]:
    """The live bench: armed, at rest, no fault, contactors closed. Raises `Blocked` where it cannot be had."""
    ready = request.config.stash[_KEY].bench()
    ready.prepare()
    yield ready
    with contextlib.suppress(PulseError):  # what stopped the case is told already
        ready.linger()


@pytest.fixture
def rec(request: pytest.FixtureRequest) -> Record:
    """The record of this case."""
    certifying, node = request.config.stash[_KEY], request.node

    def tell(check: CaseCheck) -> None:
        certifying.stream.write(CheckRecorded(info_of(node), check))

    record = Record(tell, lambda: certifying.zero_s)
    node.stash[_RECORD] = record
    return record


def place_of(item: pytest.Item) -> int | None:
    """The cell or sensor that a case is about."""
    parameters: dict[str, Any] = item.callspec.params if hasattr(item, "callspec") else {}  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    return next((int(parameters[name]) for name in PLACES if name in parameters), None)  # pyright: ignore[reportUnknownArgumentType]


def variant_of(item: pytest.Item) -> str:
    """What its parameters say, empty for a case without."""
    return item.callspec.id if hasattr(item, "callspec") else ""  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]


def info_of(item: pytest.Item) -> CaseInfo:
    """What a case is, with the place that its parameters name."""
    case = case_of(item) or Case(item.name, (), "", item.name)
    place, variant = place_of(item), variant_of(item)
    return CaseInfo(case.id, case.title, case.refs, case.hazard, place, variant, item.nodeid)


def _end_with_parent(out: Path) -> None:
    """Stop in order once whoever started this is gone; a script that does not stop is ended, and the guard acts."""
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(os.getppid()).wait()
    with contextlib.suppress(OSError):
        (out / STOP).touch()
    time.sleep(ORPHAN_S)
    os._exit(1)


def _write_end(item: pytest.Item, certifying: CertificationPlugin) -> None:
    record, trouble = item.stash.get(_RECORD, None), item.stash.get(_TROUBLE, None)
    checks = [] if record is None else record.checks
    verdicts = [check.verdict for check in checks] + ([trouble[0]] if trouble else [])
    verdict = find_worst(verdicts) if verdicts else Verdict.ERROR
    doubts = (f"{check.name}: {check.reason}" for check in checks if check.verdict is verdict and verdict in UNCLEAR)
    reason = trouble[1] if trouble else next(doubts, "") if checks else "the script recorded no check"
    certifying.has_detected |= verdict is Verdict.FAIL
    traces = () if certifying.case_bench is None else certifying.case_bench.traces(check.channel for check in checks)
    took_s = round(time.time() - item.stash[_BEGUN], 3)
    certifying.stream.write(CaseEnded(CaseResult(info_of(item), verdict, reason, took_s, tuple(checks)), traces))
    certifying.identify_bench()
