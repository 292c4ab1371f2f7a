"""When a request is sent: each cycle, or where it changes and no sooner than the device takes an equal one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.canbus.dut_map import read_dut_map
from drivers.canbus.dut_transmitter import MARGIN_S, NEVER, RETRY_S, ChangeRequests, DutTransmitter
from tests.drivers.candevice import MAPPED
from tests.drivers.polled import until
from tests.drivers.test_device_behaviour import BENCHES, changed

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from drivers.canbus.dbc import DbcMessage
    from drivers.canbus.dut_map import DutMap

OPEN, CLOSE = {"Mode": 0.0}, {"Mode": 1.0}


def test_a_request_that_differs_is_due_at_once() -> None:
    schedule = ChangeRequests(3.0)
    schedule.request(OPEN, 10.0)
    assert schedule.due_s == 10.0
    schedule.sent(OPEN, 10.0, accepted=True)
    assert schedule.due_s == NEVER
    schedule.request(CLOSE, 10.5)
    assert schedule.due_s == 10.5


def test_an_equal_request_waits_until_the_device_takes_it() -> None:
    schedule = ChangeRequests(3.0)
    schedule.sent(OPEN, 10.0, accepted=True)
    schedule.request(OPEN, 10.5)
    assert schedule.due_s == pytest.approx(13.0 + MARGIN_S)
    schedule.request(OPEN, 20.0)
    assert schedule.due_s == 20.0


def test_a_change_replaces_an_equal_request_that_waits() -> None:
    schedule = ChangeRequests(3.0)
    schedule.sent(OPEN, 10.0, accepted=True)
    schedule.request(OPEN, 10.5)
    schedule.request(CLOSE, 11.0)
    assert schedule.due_s == 11.0


def test_a_device_that_ignores_nothing_gets_an_equal_request_at_once() -> None:
    schedule = ChangeRequests(0.0)
    schedule.sent(OPEN, 10.0, accepted=True)
    schedule.request(OPEN, 10.001)
    assert schedule.due_s == 10.001


def test_what_the_bus_did_not_take_is_tried_again_as_if_it_were_new() -> None:
    schedule = ChangeRequests(3.0)
    schedule.request(OPEN, 10.0)
    schedule.sent(OPEN, 10.0, accepted=False)
    assert schedule.due_s == pytest.approx(10.0 + RETRY_S)


def test_who_comes_back_is_told_anew() -> None:
    schedule = ChangeRequests(3.0)
    schedule.sent(OPEN, 10.0, accepted=True)
    schedule.repeat(10.2)
    assert schedule.due_s == 10.2


class Wire:
    """Takes what a talker sends."""

    def __init__(self, mapped: DutMap) -> None:
        self.sent: list[tuple[str, Mapping[str, float]]] = []
        self.talker = DutTransmitter(mapped.file, mapped.messages, self._send)
        self.talker.start()

    def _send(self, message: DbcMessage, payload: bytes) -> bool:
        self.sent.append((message.name, message.decode(payload)))
        return True

    def last(self, message: str) -> Mapping[str, float]:
        return next(values for name, values in reversed(self.sent) if name == message)


@pytest.fixture
def foreign() -> Generator[Wire]:
    wire = Wire(read_dut_map(BENCHES / "foreign24.dut.toml"))
    yield wire
    wire.talker.close()


def test_a_request_on_change_is_sent_once_and_without_what_the_device_does_not_know(foreign: Wire) -> None:
    foreign.talker.heartbeat(on=True)
    foreign.talker.request("close", reset=True, balance_off=True)
    until(lambda: bool(foreign.sent))
    foreign.talker.request("open", reset=True, balance_off=False)
    until(lambda: len(foreign.sent) > 1)
    assert [(name, values["Mode"], values["BalancingEnable"]) for name, values in foreign.sent] == [
        ("StateRequest", 1, 0),
        ("StateRequest", 0, 1),
    ]


def test_a_silent_device_without_a_word_for_nothing_is_asked_open_and_told_so_when_it_is_back(foreign: Wire) -> None:
    foreign.talker.request("close", reset=False, balance_off=True)
    until(lambda: bool(foreign.sent))
    foreign.talker.forget()
    until(lambda: foreign.last("StateRequest")["Mode"] == 0)
    count = len(foreign.sent)
    foreign.talker.repeat()
    until(lambda: len(foreign.sent) > count)
    assert foreign.last("StateRequest")["Mode"] == 0


def test_a_cyclic_request_comes_again_by_itself_with_the_heartbeat() -> None:
    wire = Wire(MAPPED)
    wire.talker.heartbeat(on=True)
    wire.talker.request("close", reset=False, balance_off=True)
    until(lambda: [name for name, _ in wire.sent].count("TST_Request") >= 4)
    wire.talker.close()
    names = [name for name, _ in wire.sent]
    assert names.count("TST_Heartbeat") >= 2
    assert wire.last("TST_Request")["BalanceOff"] == 1


def test_a_cyclic_request_needs_no_heartbeat_and_may_have_a_period_of_its_own(tmp_path: Path) -> None:
    path = changed(tmp_path, 'send = "on change"\nignored_ms = 3000', 'send = "cyclic"\nperiod_ms = 10')
    wire = Wire(read_dut_map(path))
    wire.talker.request("open", reset=False, balance_off=True)
    until(lambda: len(wire.sent) >= 5)
    wire.talker.close()
    assert {name for name, _ in wire.sent} == {"StateRequest"}
