"""The runner of the tests: each test has one way to be run; what failed beside others is judged by itself."""

from __future__ import annotations

import importlib.util
import json
import shlex
import sys
import tomllib
from itertools import chain, combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from _pytest.mark.expression import Expression

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import ModuleType

    Case = tuple[tuple[str, ...], list[str], int, int, tuple[str, ...]]

ROOT = Path(__file__).resolve().parents[2]
RUNNER = ROOT / "tools" / "test.py"


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


@pytest.fixture
def called(runner: ModuleType, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The marks that each option of the runner runs, by option."""
    marks = dict[str, list[str]]()
    for option in ("", "--long", "--soak"):
        fake = FakePytest([], 0)
        vars(runner).update(pytest=fake)
        monkeypatch.setattr("sys.argv", ["test.py", option])
        runner.parts([])
        marks[option] = [call[call.index("-m") + 1] for call in fake.calls]
    return marks


def every_set_of_markers() -> Iterator[frozenset[str]]:
    """Each set of registered markers that a test might carry."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    names = [line.partition(":")[0] for line in settings["markers"]]
    return map(frozenset, chain.from_iterable(combinations(names, count) for count in range(len(names) + 1)))


def is_run(markers: Collection[str], marks: str) -> bool:
    """Whether a run with `-m marks` takes a test with these markers."""
    return Expression.compile(marks).evaluate(lambda name, **_: name in markers)


def test_each_test_has_exactly_one_way_to_be_run_whatever_its_markers(called: dict[str, list[str]]) -> None:
    ways = [*chain(*called.values()), "bench"]  # the last: by hand, on real instruments
    wrong = [
        (sorted(markers), found)
        for markers in every_set_of_markers()
        if len(found := [way for way in ways if is_run(markers, way)]) != 1
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("markers", "option"),
    [
        ((), ""),
        (("slow", "timed"), ""),
        (("live", "timed"), ""),
        (("alone", "timed"), ""),
        (("whole_bench",), "--long"),
        (("whole_bench", "alone"), "--long"),
        (("long", "slow"), "--long"),
        (("whole_bench", "soak"), "--soak"),
    ],
)
def test_whole_benches_and_long_studies_are_left_to_make_test_long(
    called: dict[str, list[str]], markers: tuple[str, ...], option: str
) -> None:
    found = [of for of, marks in called.items() for one in marks if is_run(markers, one)]
    assert found == [option]


@pytest.mark.parametrize("status", [0, 3])
def test_a_command_beside_the_tests_has_ended_before_those_that_are_alone_and_its_status_counts(
    runner: ModuleType, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], status: int
) -> None:
    fake = FakePytest([], 0)
    vars(runner).update(pytest=fake)
    words = [sys.executable, "-c", f"import sys; print(sys.argv[1]); sys.exit({status})", "its own words"]
    monkeypatch.setattr("sys.argv", ["test.py", "--beside", shlex.join(words)])
    assert runner.parts([]) == [0, 0, status, 0]
    said = capfd.readouterr().out
    assert "\nits own words\n" in said
    assert f"# ended with {status}" in said


def test_tests_that_are_alone_begin_once_the_command_beside_has_ended(
    runner: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    script = (
        f"import pathlib, time\nwhile not pathlib.Path({str(begun)!r}).exists(): time.sleep(0.01)\n"
        f"pathlib.Path({str(ended)!r}).touch()"
    )
    seen = list[bool]()

    def fake(*arguments: str) -> int:
        if runner.LIVE in arguments:
            begun.touch()
        seen.append(ended.exists())
        return 0

    vars(runner).update(pytest=fake)
    monkeypatch.setattr("sys.argv", ["test.py", "--beside", shlex.join([sys.executable, "-c", script])])
    assert runner.parts([]) == [0, 0, 0, 0]
    assert (seen[0], seen[-1]) == (False, True)


def test_a_run_that_breaks_off_ends_the_command_beside(runner: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_arguments: str) -> int:
        raise KeyboardInterrupt

    vars(runner).update(pytest=interrupt)
    command = shlex.join([sys.executable, "-c", "import time; time.sleep(600)"])
    monkeypatch.setattr("sys.argv", ["test.py", "--beside", command])
    with pytest.raises(KeyboardInterrupt):
        runner.parts([])  # a process that is left fails this test
