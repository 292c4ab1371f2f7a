"""Exit statuses of the error tree."""

from __future__ import annotations

import json

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
    as_message,
    rebuild,
)
from drivers.mistakes import Mistakes
from workbench.report import Exit, Report, status_of


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


def test_all_mistakes_are_printed_and_stand_beside_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    mistakes = Mistakes()
    for number in (3, 7):
        with mistakes.collect():
            raise BenchFileError("is wrong", where="benches/b.toml", line=number, key="a", value=1, hint="mend it")
    with pytest.raises(BenchFileError) as caught:
        mistakes.raise_all()
    error = rebuild(as_message(caught.value))  # as it comes from another process
    assert Report("run", as_json=True).finish(ok=False, error=error) is Exit.BAD_INPUT
    out, err = capsys.readouterr()
    said = json.loads(out)
    assert said["error"] == said["errors"][0]
    assert [(one["where"], one["line"]) for one in said["errors"]] == [("benches/b.toml", 3), ("benches/b.toml", 7)]
    assert err.splitlines() == [
        "error: benches/b.toml:3 is wrong; mend it",
        "error: benches/b.toml:7 is wrong; mend it",
    ]


def test_one_mistake_alone_has_no_list(capsys: pytest.CaptureFixture[str]) -> None:
    Report("run", as_json=True).finish(ok=False, error=BenchFileError("is wrong"))
    assert "errors" not in json.loads(capsys.readouterr().out)
