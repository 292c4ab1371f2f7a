"""No test waits a fixed time: it waits for a state (`tests.waiting`), or says on the line why it cannot."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

from tests.suite.sources import walk_statements

TESTS = Path(__file__).resolve().parents[1]
WHERE_WAITING_LIVES = {"waiting.py", "leaks.py"}
REASON = "# fixed wait: "
AT_MOST = 24  # a new one takes the place of one that is gone
NO_WAITS = {"bench", "self", "locked", "fuzzed", "process"}  # stepped clocks, and what raises where it takes longer
SLEEPS = {"sleep", "msleep", "qWait", "qSleep", "idle"}


def fixed_waits(text: str) -> list[tuple[int, str]]:
    """Line and source of each call that waits a fixed time."""
    lines = text.splitlines()
    return [
        (node.lineno, "\n".join(lines[node.lineno - 1 : node.end_lineno]).strip())
        for node in walk_statements(text)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _is_fixed(node.value)
    ]


def _is_fixed(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    whose = getattr(call.func.value, "id", "") if isinstance(call.func, ast.Attribute) else ""
    unasked = name == "wait" and whose not in NO_WAITS and bool(call.args)  # nobody looks at what it answered
    return name in SLEEPS or (unasked and isinstance(call.args[0], ast.Constant | ast.BinOp))


def unexplained(waits: list[tuple[int, str]]) -> list[str]:
    return [f"{line}: {source}" for line, source in waits if len(source.partition(REASON)[2]) < 10]


@pytest.mark.parametrize(
    "body",
    [
        "time.sleep(0.3)",
        "sleep(0.3)",
        "qtbot.wait(100)",
        "QTest.qWait(100)",
        "patience.idle(session, 0.2)",
        "ended.wait(0.3)",
        "time.sleep(0.3)  # fixed wait: why",
        "for _ in range(3):\n    time.sleep(\n        0.1\n    )",
    ],
)
def test_a_fixed_wait_is_found(body: str) -> None:
    assert len(unexplained(fixed_waits(body))) == 1


@pytest.mark.parametrize(
    "body",
    [
        "wait_until(ready)",
        "process.wait()",
        "assert ended.wait(5.0)",
        "process.wait(timeout=5.0)",
        "script = 'time.sleep(600)'",
        "time.sleep(0.3)  # fixed wait: the pace of its heartbeat",
    ],
)
def test_a_wait_for_a_state_or_one_with_its_reason_is_none(body: str) -> None:
    assert unexplained(fixed_waits(body)) == []


@functools.cache
def waits_of_tests() -> dict[str, list[tuple[int, str]]]:
    """The fixed waits of each file of the tests."""
    paths = (path for path in sorted(TESTS.rglob("*.py")) if path.name not in WHERE_WAITING_LIVES)
    return {str(path.relative_to(TESTS)): fixed_waits(path.read_text(encoding="utf-8")) for path in paths}


def test_no_test_waits_a_fixed_time_without_a_reason() -> None:
    found = {path: bad for path, waits in waits_of_tests().items() if (bad := unexplained(waits))}
    assert found == {}, "wait for a state with tests.waiting, or say why not: `# fixed wait: ...` on that line"


def test_fixed_waits_become_no_more() -> None:
    assert sum(map(len, waits_of_tests().values())) <= AT_MOST
