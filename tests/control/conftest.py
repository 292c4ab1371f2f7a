from __future__ import annotations

import pytest

from tests.control.smallbench import SmallBench


@pytest.fixture
def bench() -> SmallBench:
    return SmallBench()
