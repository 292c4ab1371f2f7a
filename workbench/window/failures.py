"""Conversion of an error to the failure that the window shows."""

from __future__ import annotations

import traceback

from drivers.errors import PulseError
from workbench.session.actions import Failure


def make_sentence(text: str) -> str:
    """Return the text with a capital and a full stop."""
    return f"{text[0].upper()}{text[1:].rstrip('.')}." if text else ""


def make_failure(error: BaseException, what: str = "", hint: str = "") -> Failure:
    """Return a failure: `what` did not happen because of `error`; use `hint` if the error has none.

    An error that is no `PulseError` has its traceback as details.
    """
    before = f"{what}: " if what else ""
    if isinstance(error, PulseError):
        return Failure(make_sentence(f"{before}{error.sentence}"), make_sentence(error.hint) or hint)
    details = "".join(traceback.format_exception(error))
    return Failure(make_sentence(f"{before}{str(error) or type(error).__name__}"), hint, details)
