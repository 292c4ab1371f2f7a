"""Fixtures of the tests of long work."""

from __future__ import annotations

import pytest

from tests.workbench.window.tasks.task_calls import TaskCalls


@pytest.fixture
def calls() -> TaskCalls:
    return TaskCalls()
