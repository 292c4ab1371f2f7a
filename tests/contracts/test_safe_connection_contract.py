"""What both connections of the guard keep, TCP and CAN: nothing raises, and only what was read back is verified."""

from __future__ import annotations

import math
import pickle
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from drivers.canbus.dut import open_commands
from drivers.canbus.lean_can import can
from drivers.safe_commands import TcpSafeCommands, TcpStep
from tests.drivers.candevice import CHANNELS, MAPPED, Device
from tests.drivers.faulty_supply import IS_OFF, OFF, WHO, FaultySupply
from tests.drivers.polled import until
from tests.drivers.test_safe_can_commands import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from drivers.safe_can_commands import CanSafeCommands
    from drivers.safe_commands import SafeConnection

    Commands = TcpSafeCommands | CanSafeCommands

WITHIN_S: Final = 0.3
LATER_S: Final = 5.0  # a machine that others use


@dataclass
class Peer:
    """What the guard's commands go to: `commands` to it, `obey` lets it do what they ask."""

    commands: Commands
    obey: Callable[[], object]


def tcp_peer(stack: ExitStack) -> Peer:
    supply = stack.enter_context(FaultySupply())
    supply.lying = True

    def obey() -> None:
        supply.lying = False

    return Peer(supply.make_commands(WITHIN_S), obey)


def can_peer(stack: ExitStack) -> Peer:
    device = Device(next(CHANNELS))
    stack.callback(device.bus.shutdown)

    def obey() -> None:
        stack.callback(can.Notifier(device.bus, [Answer(device, after=1)], timeout=0.01).stop)

    return Peer(open_commands(MAPPED, "virtual", device.channel, 500_000, WITHIN_S), obey)


def absent_tcp() -> Commands:
    return TcpSafeCommands("127.0.0.1:1", WHO, 10.0, (TcpStep("supply off", OFF, IS_OFF, (b"OFF",), WITHIN_S),))


def absent_can() -> Commands:
    return open_commands(MAPPED, "no_such_adapter", "0", 500_000, WITHIN_S)


@pytest.fixture(params=[tcp_peer, can_peer], ids=["tcp", "can"])
def peer(request: pytest.FixtureRequest) -> Generator[Peer]:
    with ExitStack() as stack:
        yield request.param(stack)


@pytest.fixture
def connection(peer: Peer) -> Generator[SafeConnection]:
    opened = peer.commands.open()
    until(opened.keep_alive)
    yield opened
    opened.close()


def test_a_peer_that_obeys_is_verified_after_it_was_sent(peer: Peer, connection: SafeConnection) -> None:
    peer.obey()
    results = connection.execute()
    assert [result.name for result in results] == [step.name for step in peer.commands.steps]
    for result in results:
        assert result.verified
        assert result.sent_s <= result.verified_s <= time.monotonic()
        assert result.detail == ""


def test_a_peer_that_does_not_obey_is_never_verified(connection: SafeConnection) -> None:
    for result in connection.execute():
        assert not result.verified
        assert math.isfinite(result.sent_s)
        assert math.isnan(result.verified_s)
        assert "not verified within" in result.detail


def test_it_may_be_executed_again(peer: Peer, connection: SafeConnection) -> None:
    assert not any(result.verified for result in connection.execute())
    peer.obey()
    assert all(result.verified for result in connection.execute())


@pytest.mark.parametrize("commands", [absent_tcp(), absent_can()], ids=["tcp", "can"])
def test_an_absent_peer_costs_its_time_and_a_sentence(commands: Commands) -> None:
    connection = commands.open()
    assert not connection.keep_alive()
    began_s = time.monotonic()
    (result,) = connection.execute()
    assert time.monotonic() - began_s < WITHIN_S + LATER_S
    assert not result.verified
    assert math.isnan(result.sent_s)
    assert result.detail
    assert connection.detail
    connection.close()


def test_a_closed_connection_is_closed_for_good_measure(connection: SafeConnection) -> None:
    connection.close()
    connection.close()
    assert not connection.connected


def test_the_commands_travel_to_the_guards_process(peer: Peer) -> None:
    assert pickle.loads(pickle.dumps(peer.commands)) == peer.commands  # noqa: S301  # our own bytes
