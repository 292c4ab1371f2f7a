"""Every kind of event that the code makes has words: what happened, and what to do."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from edge_bridge.fleet import events
from edge_bridge.fleet.event_words import EVENT_WORDS, find_words

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = Path(str(events.__file__)).parent
ROOT: Final = FOLDER.parents[1]
KIND: Final = 2  # the place among the arguments of an event


def find_made() -> Iterator[tuple[str, str]]:
    """Yield module and kind of each event that the code makes."""
    for path in sorted(FOLDER.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "NodeEvent" and len(call.args) > KIND:
                kind = ast.unparse(call.args[KIND])
                yield name, str(getattr(importlib.import_module(name), kind))


def test_the_code_makes_events_of_the_listed_kinds_alone() -> None:
    made = {kind for _, kind in find_made()}
    assert {"row-conflict", "quota", "offline"} <= made
    assert made == set(events.KINDS)


@pytest.mark.parametrize("kind", events.KINDS)
def test_a_kind_has_words(kind: str) -> None:
    words = EVENT_WORDS[kind]
    for sentence in (words.happened, words.advice):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert len(sentence) < 160


def test_no_words_are_of_a_kind_that_nobody_makes() -> None:
    assert EVENT_WORDS.keys() == set(events.KINDS)


def test_a_kind_of_another_version_is_its_name() -> None:
    assert find_words("door-open").happened == "Door open."
    assert find_words("door-open").advice == ""
