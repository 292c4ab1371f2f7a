"""A host goes online only if no other host with its id is: over a link that the test plays."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from drivers.errors import BenchError, OtherHostOnline
from edge_bridge import metrics
from edge_bridge.fleet import commands, process
from edge_bridge.fleet.host import Instant
from edge_bridge.fleet.host_claim import LEAVE_S, QUIET_S
from edge_bridge.fleet.process import FleetHost
from edge_bridge.mqtt import LinkDown, LinkUp, MqttMessage
from edge_bridge.sparkplug import wire
from edge_bridge.sparkplug.payload import DataType, SparkplugMetric
from tests.edge_bridge.fleet.pack import BOOT, START_MS, Pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from edge_bridge.mqtt import LinkEvent

STATE: Final = "spBv1.0/STATE/fleet"


class Link:
    """What the test puts in `events` arrives at the next turn; what the host sends lies in `sent`."""

    def __init__(
        self,
        url: str,
        client_id: str,
        will: Callable[[], MqttMessage | None],
        topics: tuple[str, ...],
        identity: Path | None = None,
    ) -> None:
        self.make_will, self.topics = will, topics
        self.events: list[LinkEvent] = []
        self.sent, self.is_up = list[MqttMessage](), False

    @property
    def has_events(self) -> bool:
        return bool(self.events)

    def publish_all(self, messages: Sequence[MqttMessage]) -> int:
        self.sent += messages
        return len(messages)

    def poll(self, wait_s: float) -> list[LinkEvent]:
        events, self.events = self.events, []
        for event in events:
            if not isinstance(event, MqttMessage):
                self.is_up = isinstance(event, LinkUp)
        return events

    def publish(self, message: MqttMessage) -> bool:
        self.sent.append(message)
        return True

    def close(self) -> None:
        self.is_up = False


class Scene:
    """A fleet host at a clock that is set."""

    def __init__(self, folder: Path, *, take_over: bool = False) -> None:
        self.now_s = 100.0
        self.host = FleetHost("mqtt://localhost", folder / "fleet.db", self.now, take_over=take_over)
        self.link: Any = self.host._link  # pyright: ignore[reportPrivateUsage]

    def now(self) -> Instant:
        return Instant(START_MS + round(1_000 * self.now_s), self.now_s)

    def hear(self, *events: LinkEvent, after_s: float = 0.0) -> None:
        self.now_s += after_s
        self.link.events += events
        self.host.turn(0.0)

    def up(self, number: int = 1) -> None:
        self.hear(LinkUp(self.link.make_will(), number))

    def states(self) -> list[bool]:
        """The STATE messages that were sent."""
        return [json.loads(message.payload)["online"] for message in self.link.sent if message.topic == STATE]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr(process, "MqttLink", Link)
    made = Scene(tmp_path)
    yield made
    made.host.close()


def other(*, online: bool) -> MqttMessage:
    return commands.make_state("fleet", 5, online=online)


def test_a_host_alone_goes_online_after_a_short_quiet_and_misses_nothing(scene: Scene) -> None:
    pack = Pack()
    scene.up()
    scene.hear(pack.birth(), pack.row(1))
    assert (scene.states(), scene.host.is_connected) == ([], False)
    scene.hear(after_s=QUIET_S)
    assert (scene.states(), scene.host.is_connected) == ([True], True)
    assert scene.host.view().totals.stored == 1


def test_a_host_does_not_start_beside_another_and_leaves_it_alone(scene: Scene) -> None:
    scene.up()
    scene.hear(other(online=True))
    scene.hear(after_s=0.9 * LEAVE_S)
    assert "waiting for it to leave" in scene.host.view().trouble
    with pytest.raises(OtherHostOnline, match=r"fleet is online at this broker.+--take-over") as refused:
        scene.hear(after_s=0.2 * LEAVE_S)
    assert isinstance(refused.value, BenchError)  # exit status 3
    scene.host.close()
    assert scene.link.sent == []


def test_a_host_waits_for_the_will_of_one_that_was_killed(scene: Scene) -> None:
    scene.up()
    scene.hear(other(online=True))
    scene.hear(other(online=False), after_s=0.8 * LEAVE_S)
    assert scene.states() == [True]


def test_a_host_takes_over_where_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MqttLink", Link)
    scene = Scene(tmp_path, take_over=True)
    scene.hear(LinkUp(scene.link.make_will(), 1), other(online=True))
    assert scene.states() == [True]
    scene.host.close()


def test_a_host_that_runs_tells_of_another_and_goes_on(scene: Scene) -> None:
    scene.up()
    scene.hear(after_s=QUIET_S)
    own = next(message for message in scene.link.sent if message.topic == STATE)
    scene.hear(own)
    assert scene.host.view().trouble == ""
    scene.hear(LinkDown("gone"))
    scene.up(number=2)
    scene.hear(own)  # what the broker kept of the connection before
    assert scene.host.view().trouble == ""
    assert scene.host.is_connected
    scene.hear(other(online=True))
    assert "is online too; stop one of them" in scene.host.view().trouble
    assert scene.host.view().flagged["other_host"] == 1
    scene.hear(other(online=False))
    assert (scene.host.view().trouble, scene.states()) == ("", [True, True, True])


@pytest.mark.parametrize("declared", [True, False])
def test_an_acknowledgement_has_the_id_of_the_host_if_the_birth_declares_it(scene: Scene, *, declared: bool) -> None:
    pack = Pack()
    birth = pack.birth()
    if declared:
        payload = wire.decode(birth.payload)
        more = SparkplugMetric(metrics.ACKNOWLEDGED_BY, None, DataType.STRING, None, START_MS)
        birth = replace(birth, payload=wire.encode(replace(payload, metrics=(*payload.metrics, more))))
    scene.up()
    scene.hear(after_s=QUIET_S)
    scene.hear(birth, pack.row(1))
    said = {str(one.name): one.value for one in wire.decode(scene.link.sent[-1].payload).metrics}
    by = {metrics.ACKNOWLEDGED_BY: "fleet"} if declared else {}
    assert said == {metrics.ACKNOWLEDGED: f"{BOOT}:1", **by}
