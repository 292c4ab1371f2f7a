"""What the step `run` makes of a run: figures that hold, that do not, and that nobody can judge here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from drivers.bench_lock import Holder
from workbench.certificates.certificate import Certificate
from workbench.certificates.results import CaseCheck, CaseInfo, CaseResult, Verdict
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.report import Report
from workbench.selftest import bench_steps
from workbench.selftest import step as steps
from workbench.selftest.bench_steps import find_excuse, judge_run
from workbench.selftest.chain_steps import judge_certificate
from workbench.selftest.latency_probe import MachineLateness
from workbench.selftest.step import SelftestStep, StepFinding
from workbench.session.status import SessionStatus
from workbench.verbs import selftest as verb

QUIET = MachineLateness(0.01 * np.arange(1200.0), np.full(1200, 1e-4))
NO_PERMISSION = "no real-time permission (Operation not permitted)"


def lane(role: str, name: str, **figures: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("tracking_mv", "difference_mv", "soc_error"))
    return {"role": role, "name": name, "was_active": False, "failed": False, "reason": ""} | nothing | figures


def summary(*lanes: dict[str, Any], p99: float | None = 0.2, missed: int = 0, lost: int = 0) -> dict[str, Any]:
    well = (
        lane("twin", "ecm", tracking_mv=0.2, was_active=True),
        lane("twin", "spme", difference_mv=9.0),
        lane("estimator", "ekf", soc_error=0.01),
    )
    named = {(one["role"], one["name"]): one for one in (*well, *lanes)}
    late = {"p99": p99}
    return {
        "ticks": 1300,
        "recorded": 1300 - lost,
        "due": 1200,
        "missed": missed,
        "late_ms": late,
        "lanes": [*named.values()],
    }


def machine(late_ms: float, standstill_s: float = 0.0) -> MachineLateness:
    late_s = np.full(1200, late_ms / 1e3)
    late_s[: round(standstill_s / 0.01)] = standstill_s
    return MachineLateness(0.01 * np.arange(1200.0), late_s)


def test_a_run_that_holds_is_ok_on_any_machine() -> None:
    for own in (QUIET, machine(50.0)):
        assert judge_run(summary(), own, "").ok is True
        assert judge_run(summary(), own, NO_PERMISSION).ok is True


@pytest.mark.parametrize(
    "wrong",
    [
        summary(p99=2.5),
        summary(p99=None),
        summary(missed=30),
        summary(lost=1),
        summary(lane("twin", "ecm", tracking_mv=3.5, was_active=True)),
        summary(lane("twin", "ecm", was_active=True, reason="known for 40.0 % of the samples")),
        summary(lane("twin", "dfn", was_active=True, reason="known for 40.0 % of the samples")),
        summary(lane("estimator", "ekf", soc_error=0.04)),
        summary(lane("estimator", "other", reason="known for 2.5 % of the samples")),
        summary(lane("estimator", "ekf", failed=True, reason="the lane failed")),
        summary(lane("controller", "mpc", failed=True, reason="the lane failed")),
        summary(lane("twin", "spme", failed=True, reason="the lane failed")),
    ],
)
def test_each_figure_that_does_not_hold_fails_the_step(wrong: dict[str, Any]) -> None:
    assert judge_run(wrong, QUIET, "").ok is False


def test_a_lane_that_failed_is_named() -> None:
    finding = judge_run(summary(lane("controller", "mpc", failed=True, reason="the lane failed")), QUIET, "")
    assert "controller mpc: the lane failed" in finding.evidence


@pytest.mark.parametrize(
    ("late", "own", "says"),
    [
        (summary(p99=2.5), machine(1.0), "late p99 2.50 ms"),
        (summary(missed=30), machine(0.1, standstill_s=0.2), "misses 1.7 %"),
        (summary(p99=26.9, missed=110), machine(9.0), "late by 9.00 ms at p99 and misses 0 %"),
    ],
)
def test_what_the_machine_may_account_for_is_not_judged(late: dict[str, Any], own: MachineLateness, says: str) -> None:
    finding = judge_run(late, own, "")
    assert finding.ok is None
    assert says in finding.reason
    assert "the machine itself is late by" in finding.reason


def test_without_permission_lateness_is_told_and_not_judged() -> None:
    finding = judge_run(summary(p99=6.0, missed=9), QUIET, NO_PERMISSION)
    assert finding.ok is None
    assert NO_PERMISSION in finding.reason


def test_beside_another_bench_on_this_machine_nobody_is_asked_to_keep_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = (Holder(pid, "python", "somebody", "hil24", "2026-11-30T03:05:20+00:00") for pid in (1, 2))
    status = SessionStatus(realtime=True)
    monkeypatch.setattr(bench_steps, "find_holders", lambda: (ours,))
    assert find_excuse(status) == ""
    monkeypatch.setattr(bench_steps, "find_holders", lambda: (ours, theirs))
    assert find_excuse(status).startswith("2 benches run on this machine")
    assert judge_run(summary(p99=2.25), QUIET, find_excuse(status)).ok is None
    assert find_excuse(SessionStatus(realtime=False, realtime_words=NO_PERMISSION)) == NO_PERMISSION


def test_a_machine_that_is_late_excuses_nothing_else() -> None:
    assert judge_run(summary(p99=2.5, lost=1), machine(1.0), "").ok is False
    assert judge_run(summary(p99=40.0), machine(1.0), "").ok is False


@pytest.mark.parametrize(("second", "ok", "not_judged"), [(None, True, 1), (True, True, 0), (False, False, 0)])
def test_a_selftest_is_ok_when_no_step_failed_and_counts_what_was_not_judged(
    second: bool | None,  # noqa: FBT001  # pytest gives it by name
    ok: bool,  # noqa: FBT001  # pytest gives it by name
    not_judged: int,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    walk = [
        SelftestStep("connect", "connected", lambda _: StepFinding(ok=True, value=1.0)),
        SelftestStep(
            "run", "runs", lambda _: StepFinding(second, 2.0, reason="" if second is not None else "it is slow")
        ),
        SelftestStep("after", "after it", lambda _: StepFinding(ok=True, value=3.0), needs=("run",)),
    ]

    def select_steps(only: str) -> list[tuple[int, SelftestStep]]:
        return list(enumerate(walk, 1))

    monkeypatch.setattr(verb, "select_steps", select_steps)
    report = Report("selftest", as_json=True)
    assert verb.main(report, tmp_path, "", "", None, bench=EMULATED_BENCH) is ok
    assert report.body["not_judged"] == not_judged
    told = report.body["steps"]
    assert [one["ok"] for one in told] == [True, second, second is not False]
    assert told[1]["reason"] == ("it is slow" if second is None else "")
    finding = walk[1].run(None)  # pyright: ignore[reportArgumentType]  # it walks nowhere
    assert steps.format_line(2, walk[1], finding).split()[1] == {None: "N/A", True: "ok", False: "FAIL"}[second]


def certificate(*verdicts: str) -> Certificate:
    """A certificate of one check a case."""
    checks = [CaseCheck("time", 1.0, "ms", 0.0, 2.0, 3.0, Verdict(word), "too coarse") for word in verdicts]
    infos = [CaseInfo("A", "A title.", (), "", None, str(n), f"test[{n}]") for n in range(len(verdicts))]
    pairs = zip(infos, checks, strict=True)
    cases = tuple(CaseResult(info, check.verdict, checks=(check,)) for info, check in pairs)
    passed = set(verdicts) <= {"PASS", "N/A"} and "PASS" in verdicts
    return Certificate("bms", "SIM", "now", passed, {}, cases, "bench.toml", "", {})


@pytest.mark.parametrize(
    ("verdicts", "ok"),
    [
        (("PASS", "PASS"), True),
        (("PASS", "N/A"), None),
        (("FAIL", "N/A"), False),
        (("N/A", "N/A"), False),
        (("PASS",), False),
        (("PASS", "ERROR"), False),
    ],
)
def test_a_certificate_with_checks_that_were_not_judged_is_not_judged(
    verdicts: tuple[str, ...],
    ok: bool | None,  # noqa: FBT001  # pytest gives it by name
) -> None:
    finding = judge_certificate(certificate(*verdicts), 2, "folder")
    assert finding.ok is ok
    assert finding.reason == ("PASSED, 1 check not judged: time: too coarse" if ok is None else "")
