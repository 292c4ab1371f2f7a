"""Conversion of an error to the failure that the window shows."""

from __future__ import annotations

import traceback

from drivers.errors import DEFECT, REPORT_IT, PulseError, describe_error
from workbench.session.actions import Failure


def make_sentence(text: str) -> str:
    """Return the text with a full stop and a capital, unless it begins with the name of a file."""
    if not text:
        return ""
    is_name = any(mark in text.split(maxsplit=1)[0].rstrip(".:") for mark in "./")
    return f"{text[0] if is_name else text[0].upper()}{text[1:].rstrip('.')}."


def make_failure(error: BaseException, what: str = "", hint: str = "") -> Failure:
    """Return a failure: `what` did not happen because of `error`; use `hint` if the error has none.

    The details are the other errors found beside it, and the traceback of an error that is no `PulseError`.
    """
    before = f"{what}: " if what else ""
    if isinstance(error, PulseError):
        others = "\n".join(map(str, error.others))
        return Failure(make_sentence(f"{before}{error.sentence}"), make_sentence(error.hint) or hint, others)
    if describe_error(error) == DEFECT:
        hint = REPORT_IT
    details = "".join(traceback.format_exception(error))
    return Failure(make_sentence(f"{before}{describe_error(error)}"), hint, details)
