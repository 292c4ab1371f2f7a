"""The pytest plugin of a certification: fixtures `bench` and `rec`, and events to the runner."""

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
from drivers.clock import monotonic
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
from workbench.certify.time_limit import DEFAULT_S, CaseTimeout, limit_time
from workbench.certify.variant import make_variant
from workbench.certify.verdict import find_worst

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from workbench.certificates.results import CaseCheck
    from workbench.certify.job import CertificationJob
    from workbench.session.live_session import LiveSession

PLACES = ("cell", "sensor")  # parameters of a case that say where
UNCLEAR = (Verdict.ERROR, Verdict.NA)  # their checks say why
READY_S = 300.0  # more than the bench takes to connect, arm and recover, each with a time-out of its own
ORPHAN_S = 20.0  # the time a case has to end once its runner is gone


class CertificationPlugin:
    """One certification in this process."""

    def __init__(self, job: CertificationJob) -> None:
        self.job = job
        self.stream = EventStreamWriter(job.out)
        self.has_detected = False
        self.case_bench: CaseBench | None = None
        self._session: LiveSession | None = None
        self._begun_s = monotonic()

    @property
    def zero_s(self) -> float:
        """When the current case began."""
        return self._begun_s if self.case_bench is None else self.case_bench.zero_s

    def bench(self) -> CaseBench:
        """Return the one bench of all cases; open it when the first case asks for it."""
        if self.case_bench is None:
            from workbench.certify.device import DeviceRules  # noqa: PLC0415  # a broken suite fails before these slow imports
            from workbench.compose.session import open_session  # noqa: PLC0415
            from workbench.engine.bench_checks import read_checked_bench  # noqa: PLC0415

            device = DeviceRules.of(read_checked_bench(self.job.bench).mapped)
            # shadow lanes judge nothing here and would only take time from the loop
            job = self.job
            self._session = open_session(
                job.bench, job.out / "runs", shadows=False, take_over=job.take_over, defects=job.defects
            )
            self.case_bench = CaseBench(self._session, device, self.job.out / STOP)
        return self.case_bench

    def identify_bench(self) -> None:
        """Write evidence class, run folder and instruments of the bench, once there is one."""
        if self._session is None:
            return
        status = self._session.status
        identities = [check.values for check in status.checklist if check.name == IDENTITIES]
        instruments = tuple(identities[0].values()) if identities else ()
        self.stream.write(BenchIdentified(status.evidence_class, status.run_folder, instruments))

    def close(self) -> None:
        """Write the last events and close the session."""
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
    """Register the marker, make the plugin, and start the thread that watches the parent process."""
    config.addinivalue_line("markers", f"{MARK}(case): a certification case, made by @case")
    config.stash[_KEY] = CertificationPlugin(read_job())
    threading.Thread(target=_end_with_parent, args=(read_job().out,), name="parent", daemon=True).start()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the bench session, whatever happened."""
    config.stash[_KEY].close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the requested cases and report them to the runner."""
    certifying = config.stash[_KEY]
    wanted = [item for item in items if (case := case_of(item)) and certifying.job.includes(case.id, variant_of(item))]
    items[:] = wanted
    certifying.stream.write(CasesCollected(tuple(info_of(item) for item in wanted)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Write an event when a case begins, and one with its result when it ended."""
    certifying = item.config.stash[_KEY]
    if certifying.has_detected and certifying.job.first_detection:
        return True
    item.stash[_BEGUN] = monotonic()
    certifying.stream.write(CaseBegun(info_of(item)))
    done = yield
    _write_end(item, certifying)
    return done


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Limit the time that fixtures take; the bench, connected for the first case, takes its own."""
    with _limit(item, least_s=READY_S):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Limit the time that a case takes."""
    with _limit(item):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Limit the time that fixtures take to end."""
    with _limit(item, least_s=READY_S):
        yield


def pytest_make_parametrize_id(val: object) -> str | None:
    """Return a readable name for a parameter of a case."""
    return make_variant(val)


def pytest_exception_interact(node: pytest.Item | pytest.Collector, call: pytest.CallInfo[None]) -> None:
    """Store what stopped a case: the device, the bench or the script; report a file that cannot be read."""
    if call.excinfo is None:
        return
    if not isinstance(node, pytest.Item):
        for broken in _describe_broken_file(node, call.excinfo):
            node.config.stash[_KEY].stream.write(broken)
        return
    error = call.excinfo.value
    if isinstance(error, Blocked):
        node.stash[_TROUBLE] = Verdict.BLOCKED, str(error)
    elif isinstance(error, NotApplicable):
        node.stash[_TROUBLE] = Verdict.NA, str(error)
    elif isinstance(error, PulseError):
        node.stash[_TROUBLE] = Verdict.ERROR, str(error)
    elif isinstance(error, CaseTimeout):
        node.stash[_TROUBLE] = Verdict.ERROR, f"{error}{_find_place(node, error)}"
    else:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.filename}:{where.lineno}"
        node.stash[_TROUBLE] = Verdict.ERROR, f"the script failed: {type(error).__name__}: {error} ({place})"
    if isinstance(error, Interrupted):
        node.session.shouldstop = str(error)


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Generator[CaseBench]:
    """Provide the live bench: armed, at rest, no fault, contactors closed. Raise `Blocked` where this fails."""
    ready = request.config.stash[_KEY].bench()
    ready.prepare()
    yield ready
    with contextlib.suppress(PulseError):  # the cause that stopped the case is already reported
        ready.linger()


@pytest.fixture
def rec(request: pytest.FixtureRequest) -> Record:
    """Provide the record of this case."""
    certifying, node = request.config.stash[_KEY], request.node

    def tell(check: CaseCheck) -> None:
        certifying.stream.write(CheckRecorded(info_of(node), check))

    record = Record(tell, lambda: certifying.zero_s)
    node.stash[_RECORD] = record
    return record


def place_of(item: pytest.Item) -> int | None:
    """Return the cell or sensor of a case, None without one."""
    parameters: dict[str, Any] = item.callspec.params if hasattr(item, "callspec") else {}  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    return next((int(parameters[name]) for name in PLACES if name in parameters), None)  # pyright: ignore[reportUnknownArgumentType]


def variant_of(item: pytest.Item) -> str:
    """Return the parameters of a case as text, empty without any."""
    return item.callspec.id if hasattr(item, "callspec") else ""  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]


def info_of(item: pytest.Item) -> CaseInfo:
    """Return the description of a case, with the place that its parameters name."""
    case = case_of(item) or Case(item.name, (), "", item.name)
    place, variant = place_of(item), variant_of(item)
    return CaseInfo(case.id, case.title, case.refs, case.hazard, place, variant, item.nodeid)


def _limit(item: pytest.Item, least_s: float = 0.0) -> AbstractContextManager[None]:
    """Return the time limit of a case, at least `least_s`; a process that cannot be ended otherwise ends with it."""
    case = case_of(item)
    limit_s = max(DEFAULT_S if case is None else case.limit_s, least_s)

    def give_up() -> None:
        reason = f"the case took longer than its limit of {limit_s:g} s and did not end; its process was ended"
        item.stash[_TROUBLE] = Verdict.ERROR, reason
        with contextlib.suppress(Exception):
            _write_end(item, item.config.stash[_KEY])
        os._exit(1)

    return limit_time(limit_s, give_up)


def _find_place(item: pytest.Item, error: BaseException) -> str:
    """Return the line of the suite at which the case was when it ended, empty if it was in none."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(item.path)]
    return f" ({item.path}:{lines[-1]})" if lines else ""


def _describe_broken_file(node: pytest.Collector, excinfo: pytest.ExceptionInfo[BaseException]) -> Iterator[FileBroken]:
    """Yield why a file of the suite cannot be read; a `PulseError`, of the bench file say, names its own file."""
    if isinstance(excinfo.value, PulseError):
        yield from (FileBroken("", str(one)) for one in excinfo.value.all)
    else:
        yield FileBroken(node.nodeid, str(node.repr_failure(excinfo)).strip().splitlines()[-1])


def _end_with_parent(out: Path) -> None:
    """Request a stop once the parent process is gone; end a script that does not stop, and the guard then acts."""
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
    took_s = round(monotonic() - item.stash[_BEGUN], 3)
    certifying.stream.write(CaseEnded(CaseResult(info_of(item), verdict, reason, took_s, tuple(checks)), traces))
    certifying.identify_bench()
