"""Events of a certification, from its pytest process to the runner, and their one codec to JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from workbench.certificates.decoder import decode_case, decode_check, decode_info
from workbench.certificates.encoder import encode_check, encode_info
from workbench.certificates.fields import JsonFields
from workbench.certify.case_trace import CaseTrace

if TYPE_CHECKING:
    from workbench.certificates.results import CaseCheck, CaseInfo, CaseResult


@dataclass(frozen=True, slots=True)
class CasesCollected:
    """The suite was read: these cases will run."""

    cases: tuple[CaseInfo, ...]


@dataclass(frozen=True, slots=True)
class CaseBegun:
    """A case runs now."""

    case: CaseInfo


@dataclass(frozen=True, slots=True)
class CheckRecorded:
    """A case recorded one check and goes on."""

    case: CaseInfo
    check: CaseCheck


@dataclass(frozen=True, slots=True)
class CaseEnded:
    """A case ended: its result, and the traces of its plots."""

    result: CaseResult
    traces: tuple[CaseTrace, ...] = ()


@dataclass(frozen=True, slots=True)
class BenchIdentified:
    """The evidence class of the bench, the folder of its run, and one line for each instrument."""

    evidence: str
    run: str
    instruments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileBroken:
    """A file of the suite, or a line of the event stream, cannot be read; no `file` where the reason names it."""

    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}" if self.file else self.reason


@dataclass(frozen=True, slots=True)
class CertificationFinished:
    """The bench was left in order."""


CertifyEvent: TypeAlias = (
    CasesCollected | CaseBegun | CheckRecorded | CaseEnded | BenchIdentified | FileBroken | CertificationFinished
)


def encode_event(event: CertifyEvent) -> dict[str, Any]:  # noqa: PLR0911  # one return an event
    """Return the JSON object of one event."""
    match event:
        case CasesCollected():
            return {"event": "collected", "cases": [encode_info(case) for case in event.cases]}
        case CaseBegun():
            return {"event": "begun", **encode_info(event.case)}
        case CheckRecorded():
            return {"event": "check", **encode_info(event.case), "check": encode_check(event.check)}
        case CaseEnded():
            return {"event": "ended", **_encode_ended(event)}
        case BenchIdentified():
            found = {"class": event.evidence, "run": event.run, "instruments": list(event.instruments)}
            return {"event": "bench", **found}
        case FileBroken():
            return {"event": "broken", "file": event.file, "reason": event.reason}
        case CertificationFinished():
            return {"event": "finished"}


def decode_event(value: object) -> CertifyEvent | None:  # noqa: PLR0911  # one return an event
    """Return the event of one JSON object; None for an event that this version does not know.

    Raise `ValueError`, which names what is damaged.
    """
    fields = JsonFields(value)
    match fields.text("event"):
        case "collected":
            return CasesCollected(tuple(decode_info(case) for case in fields.objects("cases")))
        case "begun":
            return CaseBegun(decode_info(fields))
        case "check":
            return CheckRecorded(decode_info(fields), decode_check(fields.object("check")))
        case "ended":
            return _decode_ended(fields)
        case "bench" if fields.has("class"):  # before it is connected, a bench has none
            return BenchIdentified(fields.text("class"), fields.text("run"), fields.texts("instruments"))
        case "broken":
            return FileBroken(fields.text("file"), fields.text("reason"))
        case "finished":
            return CertificationFinished()
        case _:
            return None


def _encode_ended(event: CaseEnded) -> dict[str, Any]:
    result = event.result
    return {
        **encode_info(result.info),
        "verdict": result.verdict.value,
        "reason": result.reason,
        "checks": [encode_check(check) for check in result.checks],
        "traces": [_encode_trace(trace) for trace in event.traces],
        "took_s": result.took_s,
    }


def _decode_ended(fields: JsonFields) -> CaseEnded:
    checks = tuple(decode_check(check) for check in fields.objects("checks"))
    traces = tuple(_decode_trace(trace) for trace in fields.objects("traces"))
    return CaseEnded(decode_case(fields, checks), traces)


def _encode_trace(trace: CaseTrace) -> dict[str, Any]:
    plain = {"channel": trace.channel, "unit": trace.unit, "t": list(trace.t_s), "y": list(trace.values)}
    return plain if trace.bound is None else plain | {"bound": trace.bound, "crossed": trace.crossed_s}


def _decode_trace(fields: JsonFields) -> CaseTrace:
    crossed = fields.has("bound")
    return CaseTrace(
        channel=fields.text("channel"),
        unit=fields.text("unit"),
        t_s=fields.numbers("t"),
        values=fields.numbers_or_none("y"),
        bound=fields.number("bound") if crossed else None,
        crossed_s=fields.number("crossed") if crossed else None,
    )
