from __future__ import annotations

import sys
import time

import psutil
import pytest

from drivers.suspend import SleepInhibitor, SuspendWatch, sentence


class Computer:
    """Two clocks that a test sets; each reading may be followed by something that happens to the computer."""

    def __init__(self) -> None:
        self.awake_s, self.slept = 1000.0, 0.0
        self.then: list[tuple[float, float]] = []

    def awake(self) -> float:
        now_s = self.awake_s
        self._happen()
        return now_s

    def elapsed(self) -> float:
        now_s = self.awake_s + self.slept
        self._happen()
        return now_s

    def _happen(self) -> None:
        if self.then:
            on_s, slept_s = self.then.pop(0)
            self.awake_s += on_s
            self.slept += slept_s


@pytest.fixture
def computer() -> Computer:
    return Computer()


@pytest.fixture
def watch(computer: Computer) -> SuspendWatch:
    return SuspendWatch(computer.awake, computer.elapsed)


def test_a_computer_that_is_awake_has_not_slept(computer: Computer, watch: SuspendWatch) -> None:
    for _ in range(1000):
        computer.awake_s += 0.01
        assert watch.slept_s() == 0.0


@pytest.mark.parametrize("slept_s", [0.2, 3.0, 40_000.0])
def test_a_sleep_is_noticed_once_at_the_next_turn(computer: Computer, watch: SuspendWatch, slept_s: float) -> None:
    computer.awake_s += 0.01
    computer.slept += slept_s
    assert watch.slept_s() == pytest.approx(slept_s)
    assert watch.slept_s() == 0.0
    computer.slept += slept_s
    assert watch.slept_s() == pytest.approx(slept_s)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_sleep_between_two_readings_is_noticed(computer: Computer, watch: SuspendWatch, place: int) -> None:
    computer.then = [(0.0, 5.0 if n == place else 0.0) for n in range(3)]
    assert watch.slept_s() + watch.slept_s() == pytest.approx(5.0)


@pytest.mark.parametrize("place", [0, 1])
def test_a_process_that_was_held_up_between_readings_has_not_slept(
    computer: Computer, watch: SuspendWatch, place: int
) -> None:
    computer.then = [(30.0 if n == place else 0.0, 0.0) for n in range(3)]
    assert watch.slept_s() == 0.0
    assert watch.slept_s() == 0.0


def test_a_sleep_beside_a_held_up_reading_is_noticed_the_next_time(computer: Computer, watch: SuspendWatch) -> None:
    computer.then = [(1.0, 7.0), (0.0, 0.0), (0.0, 0.0)]
    assert watch.slept_s() == 0.0
    assert watch.slept_s() == pytest.approx(7.0)


def test_the_clocks_of_this_computer_are_those_of_its_sleep() -> None:
    watch = SuspendWatch()
    assert watch.works is (sys.platform in {"linux", "darwin", "win32"})
    assert watch.slept_s() == 0.0


def test_asking_costs_next_to_nothing() -> None:
    watch, began_s = SuspendWatch(), time.process_time()
    for _ in range(10_000):
        watch.slept_s()
    assert time.process_time() - began_s < 1.0  # 0.1 ms each would still be nothing beside a turn of 10 ms


def test_the_sentence_says_how_long() -> None:
    assert sentence(12.34) == "the computer was asleep for 12.3 s and did not guard the bench"


def test_sleep_is_held_off_as_long_as_it_is_asked() -> None:
    inhibitor = SleepInhibitor((sys.executable, "-c", "import sys; sys.stdin.read()"))
    assert inhibitor.pid is None
    inhibitor.keep(on=True)
    pid = inhibitor.pid
    assert pid is not None
    inhibitor.keep(on=True)
    assert inhibitor.pid == pid
    inhibitor.keep(on=False)
    assert not psutil.pid_exists(pid)
    inhibitor.keep(on=True)
    assert inhibitor.pid not in {None, pid}
    inhibitor.close()
    assert inhibitor.pid is None


@pytest.mark.parametrize("command", [(), ("/nowhere/systemd-inhibit",), (sys.executable, "-c", "raise SystemExit(1)")])
def test_a_system_that_cannot_hold_off_sleep_hinders_nobody(command: tuple[str, ...]) -> None:
    inhibitor = SleepInhibitor(command)
    inhibitor.keep(on=True)
    inhibitor.close()
