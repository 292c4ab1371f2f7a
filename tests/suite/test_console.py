"""Only the command line writes for people: everything else returns results or raises the project's errors."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

WORKBENCH = Path(__file__).resolve().parents[2] / "workbench"
COMMAND_LINE = {
    "cli.py",
    "cli_bench.py",
    "cli_bundle.py",
    "cli_cell.py",
    "cli_edge.py",
    "cli_fleet.py",
    "cli_fleet_demo.py",
    "cli_fleet_identity.py",
    "cli_fleet_people.py",
    "cli_forecast.py",
    "cli_shadow.py",
    "cli_health.py",
    "cli_logs.py",
    "cli_train.py",
    "progress_bar.py",
    "extras.py",
    "fleet_options.py",
    "option_passing.py",
    "options.py",
    "report.py",
    "run_app.py",
    "run_verb.py",
}
FOLDERS = {"measure", "verbs"}
LIBRARIES = {"click", "rich", "typer"}


def printing(text: str) -> list[int]:
    """Lines that print, or import a library of the console."""
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.expr | ast.stmt)]
    return [node.lineno for node in nodes if _prints(node)]


def _prints(node: ast.expr | ast.stmt) -> bool:
    if isinstance(node, ast.Import):
        return any(name.name.partition(".")[0] in LIBRARIES for name in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").partition(".")[0] in LIBRARIES
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"


@pytest.mark.parametrize("text", ["print('x')", "def f():\n    import typer", "from rich.table import Table"])
def test_what_prints_is_found(text: str) -> None:
    assert printing(text)


def test_nothing_else_prints() -> None:
    files = [
        file for file in WORKBENCH.rglob("*.py") if file.relative_to(WORKBENCH).parts[0] not in COMMAND_LINE | FOLDERS
    ]
    assert len(files) > 100
    found = [f"{file.relative_to(WORKBENCH)}:{line}" for file in files for line in printing(file.read_text("utf-8"))]
    assert found == []
