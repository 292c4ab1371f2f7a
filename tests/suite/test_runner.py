"""The runner of the tests: what failed beside others is run again by itself, and that run decides."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

    Case = tuple[tuple[str, ...], list[str], int, int, tuple[str, ...]]

RUNNER = Path(__file__).resolve().parents[2] / "tools" / "test.py"


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("runner_of_tests", RUNNER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class FakePytest:
    """Runs of pytest: the first fails in `failed` and remembers it as pytest does, the others end with `again`."""

    def __init__(self, failed: list[str], again: int) -> None:
        self.failed, self.again = failed, again
        self.calls: list[tuple[str, ...]] = []

    def __call__(self, *arguments: str) -> int:
        self.calls.append(arguments)
        if len(self.calls) > 1:
            return self.again
        options = [argument for argument in arguments if argument.startswith("cache_dir=")]
        for folder in (Path(option.partition("=")[2]) / "v" / "cache" for option in options):
            folder.mkdir(parents=True)
            (folder / "lastfailed").write_text(json.dumps(dict.fromkeys(self.failed, True)))
        return 1 if self.failed else 0


BESIDE = ("-n", "2")
MANY = [f"tests/{number}.py::test_x" for number in range(9)]


@pytest.mark.parametrize(
    "case",  # options of a run beside others, what failed in it, status of the second run; status, files run again
    [
        (BESIDE, [], 1, 0, ()),
        (BESIDE, ["tests/a.py::test_x[1]", "tests/a.py::test_y", "tests/b.py::z"], 0, 0, ("tests/a.py", "tests/b.py")),
        (BESIDE, ["tests/a.py::test_x"], 1, 1, ("tests/a.py",)),
        (BESIDE, MANY, 0, 1, ()),
        ((), ["tests/a.py::test_x"], 0, 1, ()),
    ],
)
def test_a_file_that_failed_beside_others_is_judged_by_itself(runner: ModuleType, case: Case) -> None:
    beside, failed, again, status, rerun = case
    fake = FakePytest(failed, again)
    vars(runner).update(pytest=fake)
    assert runner.judge("live", beside, []) == status
    assert fake.calls[1:] == ([("-m", "live", *rerun)] if rerun else [])
