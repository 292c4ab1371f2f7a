"""Back to a healthy device with closed contactors, by what its map lets be asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from drivers.canbus.dut_map import read_dut_map
from drivers.errors import Blocked, NotApplicable
from workbench.certify import recovery
from workbench.certify.bench import CaseBench
from workbench.certify.device import DeviceRules

if TYPE_CHECKING:
    from collections.abc import Callable

BENCHES = Path(__file__).parents[3] / "fixtures" / "benches"
PULSE = DeviceRules.of(read_dut_map(BENCHES / "pulse24.dut.toml"))
FOREIGN = DeviceRules.of(read_dut_map(BENCHES / "foreign24.dut.toml"))


@dataclass
class Sick:
    """A device with a fault, and the bench around it; time passes where it is waited for."""

    device: DeviceRules
    recovers_on: str
    needs_reset: bool
    takes_s: float = 0.1
    healthy: bool = False
    closed: bool = False
    log: list[str] = field(default_factory=list[str])
    waits_s: list[float] = field(default_factory=list[float])

    def is_healthy(self) -> bool:
        return self.healthy

    def contactor_closed(self) -> bool:
        return self.closed

    def fault(self) -> str:
        return "ERROR"

    def hold(self, seconds: float) -> None:
        self.waits_s.append(seconds)

    def request(self, contactor: str, *, reset: bool = False) -> None:
        self.log.append(f"{contactor}{' reset' * reset}")
        self.healthy = self.healthy or (contactor == self.recovers_on and reset >= self.needs_reset)

    def until(self, holds: Callable[[], bool], within_s: float) -> bool:
        self.waits_s.append(within_s)
        self.closed = self.closed or (self.log[-1] == "close" and within_s >= self.takes_s)
        return holds()


def bench(sick: Sick) -> CaseBench:
    return cast("CaseBench", sick)


def test_a_device_that_recovers_on_open_alone_is_asked_nothing_else() -> None:
    sick = Sick(FOREIGN, "open", needs_reset=False)
    recovery.clear_fault(bench(sick))
    assert {word.removesuffix(" reset") for word in sick.log} == {"open"}
    assert sick.waits_s[0] == FOREIGN.clear_s == 0.8


def test_a_device_that_recovers_on_a_reset_is_asked_as_before() -> None:
    sick = Sick(PULSE, "none", needs_reset=True)
    recovery.clear_fault(bench(sick))
    assert sick.log == ["none", "none reset", "none"]
    assert PULSE.try_s in sick.waits_s


def test_a_device_without_fault_is_asked_nothing() -> None:
    sick = Sick(FOREIGN, "open", needs_reset=False, healthy=True)
    recovery.clear_fault(bench(sick))
    assert sick.log == []


def test_a_device_that_keeps_its_fault_blocks_with_its_word() -> None:
    with pytest.raises(Blocked, match="still reports its fault ERROR"):
        recovery.clear_fault(bench(Sick(FOREIGN, "never", needs_reset=False)))


def test_a_close_may_take_as_long_as_the_map_says() -> None:
    recovery.close_contactors(bench(Sick(FOREIGN, "open", needs_reset=False, takes_s=3.7)))
    with pytest.raises(Blocked, match="do not close"):
        recovery.close_contactors(bench(Sick(PULSE, "none", needs_reset=True, takes_s=3.7)))
    recovery.close_contactors(bench(Sick(replace(PULSE, close_s=4.0), "none", needs_reset=True, takes_s=3.7)))


def test_a_heartbeat_that_the_map_does_not_declare_cannot_stop() -> None:
    case = CaseBench(cast("Any", None), FOREIGN, Path("stop"))
    with pytest.raises(NotApplicable, match="declares no heartbeat"):
        case.heartbeat(on=False)
