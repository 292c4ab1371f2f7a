"""Errors reach a user as words, never as the name of a Python class."""

from __future__ import annotations

import re

import pytest

from drivers.errors import BenchError, describe_error, is_defect
from workbench.window.failures import make_failure

CLASS_NAME = re.compile(r"\b[A-Z]\w*(Error|Exception|Exit|Silent)\b")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyError(7), "a defect of this program"),
        (IndexError("list index out of range"), "a defect of this program"),
        (AttributeError("'NoneType' object has no attribute 'x'"), "a defect of this program"),
        (AssertionError(), "a defect of this program"),
        (ValueError(), "a defect of this program"),
        (ValueError("3 cells where 24 are declared"), "3 cells where 24 are declared"),
        (OSError(28, "No space left on device", "/runs/ticks"), "/runs/ticks: No space left on device"),
        (BenchError("the supply is silent", hint="switch it on"), "the supply is silent"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_is_words(error: Exception, words: str) -> None:
    assert describe_error(error) == words
    failure = make_failure(error, "The run cannot be read")
    assert not CLASS_NAME.search(failure.sentence)
    assert words in failure.sentence


def test_a_defect_asks_for_a_report_and_keeps_its_traceback_for_the_details() -> None:
    with pytest.raises(KeyError) as caught:
        dict[int, int]().__getitem__(7)
    failure = make_failure(caught.value, "Reset failed")
    assert is_defect(caught.value)
    assert "report it" in failure.hint
    assert "KeyError" in failure.details
