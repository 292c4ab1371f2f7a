"""No program decides by words that are for people: what it has to know is a number, an enum or a field of its own."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PRODUCT: Final = ("workbench", "edge_bridge", "control", "twin", "drivers")
FOR_PEOPLE: Final = {"sentence", "title", "reason", "trip_reason", "why", "why_not", "finding"}  # whatever holds them
FIELDS: Final = FOR_PEOPLE | {"text", "detail", "details", "hint", "what", "label", "summary"}  # as a field of a record
TAKES_APART: Final = {
    *("startswith", "endswith", "removeprefix", "removesuffix", "find", "rfind", "index", "count"),
    *("partition", "rpartition", "split", "rsplit", "splitlines"),
}
MATCHES: Final = {"match", "fullmatch", "search", "findall", "finditer", "split"}


def decisions(source: str) -> list[str]:
    """Line and source of each expression that takes words for people apart, or compares them with words."""
    tree = ast.parse(source)
    return [
        f"{node.lineno}: {ast.unparse(node)}" for node in ast.walk(tree) if isinstance(node, ast.expr) and _is(node)
    ]


def _is(node: ast.expr) -> bool:
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        return any(map(_for_people, sides)) and any(map(_words, sides))
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    if node.func.attr in TAKES_APART and _for_people(node.func.value):
        return True
    return node.func.attr in MATCHES and any(map(_for_people, node.args))


def _for_people(node: ast.expr) -> bool:
    """Whether an expression is a field or a name that holds words for people, changed in case or not."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("lower", "casefold"):
        return _for_people(node.func.value)
    if isinstance(node, ast.Name):
        return node.id in FOR_PEOPLE
    if isinstance(node, ast.Attribute):
        return node.attr in FIELDS
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value in FIELDS
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        return isinstance(node.args[0], ast.Constant) and node.args[0].value in FIELDS
    return False


def _words(node: ast.expr) -> bool:
    """Whether an expression is a literal text that is not empty, or several of them."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(map(_words, node.elts))
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(node.value)
    )


@pytest.mark.parametrize(
    "source",
    [
        'sentence.startswith("tripped")',
        'sentence.startswith(("tripped", "active"))',
        'work.title.startswith("Arm")',
        'event["sentence"].endswith(" is active")',
        'event.get("sentence").endswith(" is active")',
        '"tripped" in event.text',
        '"tripped" not in record.event.text.lower()',
        'verdict.reason == "not armed"',
        'title in ("Arm", "Disarm")',
        'check.finding.split("; ")',
        're.search("verified (off|on)", press.sentence)',
        'f"{peer} after" in press.sentence',
    ],
)
def test_a_decision_by_words_is_found(source: str) -> None:
    assert len(decisions(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "work.action is Action.ARM",
        "event.kind == EventKind.LANE_ACTIVE",
        'if verdict.reason != "": pass',
        "if pending.sentence: pass",
        "text != label.text()",
        'text.partition(",")',
        'f"{event.level.value}: {event.text}"',
        'name.startswith("cell_")',
        "before.sentence == now.sentence",
    ],
)
def test_what_reads_no_words_is_none(source: str) -> None:
    assert decisions(source) == []


def test_no_program_decides_by_words_for_people() -> None:
    paths = [path for package in PRODUCT for path in sorted((ROOT / package).rglob("*.py"))]
    assert len(paths) > 300
    found = {
        path.relative_to(ROOT).as_posix(): bad for path in paths if (bad := decisions(path.read_text(encoding="utf-8")))
    }
    assert found == {}, "give it a kind, an enum or a field of its own; `drivers/event.py` has them for events"
