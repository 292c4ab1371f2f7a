"""Exit statuses of the error tree."""

from __future__ import annotations

import pytest

from drivers.errors import (
    BenchError,
    BenchFileError,
    BundleRefused,
    Interrupted,
    LinkSilent,
    PulseError,
    Refused,
    RunLogError,
)
from workbench.report import Exit, status_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BenchFileError("x"), Exit.BAD_INPUT),
        (RunLogError("x"), Exit.BAD_INPUT),
        (BenchError("x"), Exit.MISSING),
        (LinkSilent("x"), Exit.MISSING),
        (Refused("x"), Exit.CHECK_FAILED),
        (BundleRefused("x", key="changed"), Exit.CHECK_FAILED),
        (BundleRefused("x", key="not_a_bundle"), Exit.BAD_INPUT),
        (Interrupted("x"), Exit.INTERRUPTED),
    ],
)
def test_each_error_has_its_exit_status(error: PulseError, status: Exit) -> None:
    assert status_of(error) is status
