"""Events from changes of state: each change once, an outage of the fleet's own is not one of its devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from edge_bridge.fleet.events import GRACE_MS, EventWatch
from edge_bridge.fleet.store.records import Batch, Birth, NodeRecord
from edge_bridge.fleet.why_offline import DeviceEvidence, describe_age, diagnose

if TYPE_CHECKING:
    from edge_bridge.metrics import Scalar


def note(*, online: bool = True, **status: Scalar) -> Batch:
    said = {name.replace("_", "/"): value for name, value in status.items()}
    return Batch(notes={"p": NodeRecord("p", online, None, said)})


def tell(watch: EventWatch, batch: Batch, now_ms: int = 0, *, is_connected: bool = True) -> list[str]:
    return [event.kind for event in watch.find(batch, now_ms, is_connected=is_connected)]


def test_a_change_is_told_once() -> None:
    watch = EventWatch()
    assert tell(watch, note(Gate_Verdict="allowed")) == ["online"]
    assert tell(watch, note(Gate_Verdict="allowed")) == []
    assert tell(watch, note(Gate_Verdict="tripped")) == ["tripped"]
    assert tell(watch, note(Gate_Verdict="tripped")) == []
    assert tell(watch, note(Gate_Verdict="held", BMS_Fault=3)) == ["held", "bms-fault"]
    assert tell(watch, note(Gate_Verdict="held", BMS_Fault=0)) == ["bms-ok"]
    assert tell(watch, note(online=False, Gate_Verdict="held", BMS_Fault=0)) == ["offline"]


def test_a_node_that_was_cut_off_is_offline_for_that_reason() -> None:
    watch = EventWatch()
    tell(watch, note())
    cut = note(online=False)
    cut.revoked.add("p")
    found = watch.find(cut, 0, is_connected=True)
    assert [(event.kind, event.detail, event.is_alarm) for event in found] == [
        ("revoked", "its certificate was revoked and it was cut off", False),
        ("offline", "its certificate was revoked", True),
    ]


def test_what_was_known_before_a_restart_is_no_news() -> None:
    known = NodeRecord("p", online=True, last_ms=None, status={"Gate/Verdict": "tripped"})
    assert tell(EventWatch([known]), note(Gate_Verdict="tripped")) == []


def test_an_outage_of_the_fleet_is_not_one_of_its_devices() -> None:
    watch = EventWatch()
    tell(watch, note())
    assert tell(watch, note(online=False), 1_000, is_connected=False) == []
    assert tell(watch, Batch(), 2_000) == []
    assert tell(watch, note(), 3_000) == []
    tell(watch, note(online=False), 4_000, is_connected=False)
    assert tell(watch, Batch(), 5_000) == []
    assert tell(watch, Batch(), 5_000 + GRACE_MS) == ["offline"]
    assert tell(watch, Batch(), 6_000 + GRACE_MS) == []


def test_a_bundle_that_failed_is_an_alarm_until_one_is_healthy() -> None:
    watch, events = EventWatch(), list[tuple[str, bool, tuple[str, ...]]]()
    for desired, state in (("a", "desired"), ("a", "refused"), ("b", "desired"), ("b", "healthy")):
        found = watch.find(note(Bundle_Desired=desired, Bundle_State=state), 0, is_connected=True)
        events += [(event.kind, event.is_alarm, event.clears) for event in found if event.kind != "online"]
    assert events == [
        ("bundle-state", False, ()),
        ("bundle-failed", True, ()),
        ("bundle-state", False, ()),
        ("bundle-healthy", False, ("bundle-failed",)),
    ]


def test_a_new_boot_is_a_reboot_and_the_same_one_is_not() -> None:
    watch = EventWatch()
    births = [Batch(births=[Birth("p", 0, 0, None, (boot, 1))]) for boot in ("0a", "0a", "0b")]
    assert [tell(watch, birth) for birth in births] == [[], [], ["reboot"]]


def make_evidence(
    now_ms: int,
    trouble: str,
    last_ms: int | None,
    births_ms: list[int],
    events: Any,
    *,
    is_known: bool,
    is_online: bool,
) -> DeviceEvidence:
    return DeviceEvidence(now_ms, is_known, is_online, trouble, last_ms, births_ms, events)


@pytest.mark.parametrize(
    ("known", "causes"),
    [
        (make_evidence(0, "", None, [], [], is_known=False, is_online=False), ["never-seen"]),
        (make_evidence(0, "no broker", None, [], [], is_known=False, is_online=False), ["host-offline", "never-seen"]),
        (make_evidence(9, "", 5, [1], [("offline", 7)], is_known=True, is_online=False), ["connection-ended"]),
        (make_evidence(9, "", 5, [1], [("offline", 7), ("revoked", 7)], is_known=True, is_online=False), ["revoked"]),
        (
            make_evidence(
                9, "", 5, [1], [("offline", 8), ("online", 7), ("revoked", 6)], is_known=True, is_online=False
            ),
            ["connection-ended"],
        ),
        (make_evidence(9, "", 5, [1], [], is_known=True, is_online=False), ["no-birth"]),
        (make_evidence(9, "no broker", 5, [1], [("offline", 7)], is_known=True, is_online=False), ["host-offline"]),
        (make_evidence(9, "", 5, [9, 8, 7, 6, 5], [], is_known=True, is_online=True), ["birth-loop", "online"]),
        (
            make_evidence(99_000, "", 5, [1], [("clock-wrong", 3)], is_known=True, is_online=True),
            ["clock-wrong", "silent"],
        ),
        (
            make_evidence(9, "", 5, [1], [("clock-right", 4), ("clock-wrong", 3)], is_known=True, is_online=True),
            ["online"],
        ),
    ],
)
def test_why_a_device_is_offline_is_told_from_evidence(known: DeviceEvidence, causes: list[str]) -> None:
    assert [finding.cause for finding in diagnose(known)] == causes


@pytest.mark.parametrize(
    ("age_s", "words"), [(0, "0 s"), (119, "119 s"), (4_018, "66 min"), (7_200, "2 h"), (200_000, "2 days")]
)
def test_an_age_is_told_in_a_unit_that_people_read(age_s: int, words: str) -> None:
    assert describe_age(age_s) == words
