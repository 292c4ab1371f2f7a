"""No exception leaves `data` of a Qt model: Qt calls it while it paints, and the process would end."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractItemModel, Qt

import workbench.window
from workbench.window.runs_page.page import RunTable
from workbench.window.widgets.item_data import guard_data

if TYPE_CHECKING:
    import pytest


def list_models() -> set[type[QAbstractItemModel]]:
    for module in pkgutil.walk_packages(workbench.window.__path__, "workbench.window."):
        importlib.import_module(module.name)
    found: set[type[QAbstractItemModel]] = set()
    waiting: list[type[Any]] = [QAbstractItemModel]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith("workbench."):
                found.add(kind)
    return found


def test_every_model_of_the_window_guards_its_data() -> None:
    models = [kind for kind in list_models() if "data" in vars(kind)]
    assert len(models) >= 6
    assert [kind.__name__ for kind in models if not getattr(vars(kind)["data"], "is_guarded", False)] == []


def test_a_cell_that_fails_is_empty_and_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[type[BaseException]] = []

    def report(kind: type[BaseException], _error: BaseException, _traceback: object) -> None:
        reported.append(kind)

    monkeypatch.setattr(sys, "excepthook", report)

    class Failing:
        @guard_data
        def data(self, number: int) -> str:
            raise ValueError(number)

    assert [Failing().data(number) for number in range(5)] == [None] * 5
    assert reported == [ValueError]


def test_a_run_that_is_none_leaves_the_table_standing(monkeypatch: pytest.MonkeyPatch, qapp: object) -> None:
    del qapp

    def ignore(_kind: type[BaseException], _error: BaseException, _traceback: object) -> None:
        return

    monkeypatch.setattr(sys, "excepthook", ignore)
    table: Any = RunTable()
    table.rows = [None]  # what no reader makes
    assert table.data(table.index(0, 2), Qt.ItemDataRole.DisplayRole) is None
