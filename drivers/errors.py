"""One tree of exceptions; each one is a sentence with what, where, value, bound and the next step.

::

    PulseError
    |-- BenchFileError   a mistake in a declaration (bench, device map, thresholds, duty)
    |-- RunLogError      a run folder that cannot be written, opened or exported
    |-- LogError         a log of a laboratory or of the field that cannot be read
    |-- BenchError       the bench, or a part of it, is missing or refuses
    |   |-- BrokerMissing    no MQTT broker answers
    |   |-- ApiMissing       no API of a fleet answers
    |   |-- OtherHostOnline  another fleet with the same host id is online
    |   |-- StoreFailed      the database of a fleet does not answer, or does not store rows
    |   |   `-- LeaseLost    another host may have the shard by now
    |   |-- PackageMissing   a Python package of an extra is not installed
    |   |-- BenchHeld        another session has an instrument or an adapter
    |   |-- BenchTaken       an unknown client has the remote control of an instrument
    |   `-- LinkError    a failure of one connection
    |       |-- LinkSilent     no answer in time
    |       |-- LinkDropped    the other side closed the connection, or it was never opened
    |       |-- LinkGarbage    an answer that cannot be read
    |       |-- LinkRefused    an answer, or an error queue, that refuses a command
    |       |-- CommandUnknown no answer to one query of an instrument that answers others
    |       |-- UnfitRating    the right model, but its ratings, settings or speed do not fit the bench
    |       `-- WrongModel     another model answers
    |-- Refused          an action that the state of the session does not allow
    |-- Blocked          a certification case whose precondition does not hold
    |-- NotApplicable    a certification case that the device's profile cannot serve
    |-- CheckFailed      a check of the bench that failed
    |-- DocumentChanged  a document that somebody else has changed since it was read
    |-- BundleRefused    a bundle that violates a rule; `key` names the rule
    |-- Interrupted      Ctrl-C or SIGTERM, after an orderly end
    |-- OutputClosed     the program that reads stdout or stderr has ended
    `-- Usage            an invalid option of the command line

They are raised in lower layers and caught once, where a verb or an action ends.
"""

from __future__ import annotations

from typing import Any, Final


class PulseError(Exception):
    """A failure that a person can act on; `str` is one sentence that ends with the next step."""

    code = "failed"

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        line: int | None = None,
        key: str | None = None,
        value: Any = None,
        bound: Any = None,
        hint: str = "",
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.line = line
        self.key = key
        self.value = value
        self.bound = bound
        self.hint = hint
        self.others: tuple[PulseError, ...] = ()  # found beside this one, in the order of the file

    @property
    def all(self) -> tuple[PulseError, ...]:
        """The error itself and the others that were found with it."""
        return (self, *self.others)

    @property
    def sentence(self) -> str:
        """The sentence with where and what, without the next step."""
        place = self.where or ""
        if self.line is not None:
            place += f":{self.line}"
        return f"{place} {self.what}".strip()

    def __str__(self) -> str:
        return f"{self.sentence}; {self.hint}" if self.hint else self.sentence

    def as_json(self) -> dict[str, Any]:
        """Return the `error` object that scripts rely on."""
        names = ("code", "what", "where", "line", "key", "value", "bound", "hint")
        return {name: getattr(self, name) for name in names}


class BenchFileError(PulseError):
    """A mistake in a declaration."""

    code = "bench_file"


class RunLogError(PulseError):
    """A run folder that cannot be written, opened or exported."""

    code = "run_log"


class LogError(PulseError):
    """A log of a laboratory or of the field that cannot be read; `line` is the row in the file."""

    code = "log"


class BenchError(PulseError):
    """The bench, or a part of it, is missing or refuses."""

    code = "bench"


class BrokerMissing(BenchError):
    """No MQTT broker answers."""

    code = "broker_missing"


class ApiMissing(BenchError):
    """No API of a fleet answers."""

    code = "api_missing"


class OtherHostOnline(BenchError):
    """Another fleet with the same host id is online."""

    code = "other_host"


class StoreFailed(BenchError):
    """The database of a fleet does not answer, or does not store rows."""

    code = "store"


class StoreUnreachable(StoreFailed):
    """The database of a fleet does not answer, or has no room: nothing is wrong with the rows."""


class LeaseLost(StoreFailed):
    """The lease of a shard has run out: another host may have it by now."""

    code = "lease_lost"


class PackageMissing(BenchError):
    """A Python package of an extra is not installed."""

    code = "package_missing"


class BenchHeld(BenchError):
    """Another session has an instrument or an adapter."""

    code = "bench_held"


class BenchTaken(BenchError):
    """An unknown client has the remote control of an instrument."""

    code = "bench_taken"


class LinkError(BenchError):
    """A failure of one connection."""

    code = "link"


class LinkSilent(LinkError):
    """No answer in time."""

    code = "link_silent"


class LinkDropped(LinkError):
    """The other side closed the connection, or it was never opened."""

    code = "link_dropped"


class LinkGarbage(LinkError):
    """An answer that cannot be read."""

    code = "link_garbage"


class LinkRefused(LinkError):
    """An answer, or an error queue, that refuses a command."""

    code = "link_refused"


class CommandUnknown(LinkError):
    """No answer to one query of an instrument that answers others."""

    code = "not_known"


class UnfitRating(LinkError):
    """The right model, but its ratings, settings or speed do not fit the bench."""

    code = "unfit"


class WrongModel(LinkError):
    """Another model answers."""

    code = "wrong_model"


class Refused(PulseError):
    """An action that the state of the session does not allow."""

    code = "refused"


class Blocked(PulseError):
    """A certification case whose precondition does not hold."""

    code = "blocked"


class NotApplicable(PulseError):
    """A certification case that the device's profile cannot serve."""

    code = "not_applicable"


class CheckFailed(PulseError):
    """A check of the bench that failed."""

    code = "check_failed"


class DocumentChanged(PulseError):
    """A document of the fleet that somebody else has changed since it was read."""

    code = "document_changed"


class BundleRefused(PulseError):
    """A bundle that violates a rule."""

    code = "bundle_refused"


class Interrupted(PulseError):
    """Ctrl-C or SIGTERM, after an orderly end."""

    code = "interrupted"


class OutputClosed(PulseError):
    """The program that reads stdout or stderr has ended, as `head` does."""

    code = "output_closed"


class Usage(PulseError):
    """An invalid option of the command line."""

    code = "usage"


DEFECT: Final = "a defect of this program"
REPORT_IT: Final = "The bench is not the cause: report it with the details."


def describe_error(error: BaseException, code: str = "this program") -> str:
    """Return an error as words for a user, never with the name of a Python class; keep the traceback for the details.

    An error that says nothing about its cause is a defect of the `code` that raised it.
    """
    if isinstance(error, PulseError):
        return error.sentence
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, LookupError | AttributeError | AssertionError) or not str(error):
        return f"a defect of {code}"
    return str(error)


def is_defect(error: BaseException) -> bool:
    """Return whether an error has no cause that a user could remove."""
    return not isinstance(error, PulseError | OSError)


def as_message(error: PulseError) -> dict[str, Any]:
    """Return the error and the others that were found with it, for `rebuild` in another process."""
    return error.as_json() | {"others": [other.as_json() for other in error.others]}


def rebuild(content: dict[str, Any]) -> PulseError:
    """Rebuild an error of another process from `as_message` or `as_json`; an unknown code becomes a `PulseError`."""
    kinds = {kind.code: kind for kind in _below(PulseError)}
    names = ("where", "line", "key", "value", "bound", "hint")
    error = kinds.get(content["code"], PulseError)(content["what"], **{name: content[name] for name in names})
    error.others = tuple(rebuild(other) for other in content.get("others", ()))
    return error


def _below(kind: type[PulseError]) -> list[type[PulseError]]:
    return [kind, *(found for lower in kind.__subclasses__() for found in _below(lower))]
