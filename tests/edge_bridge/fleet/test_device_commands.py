"""Commands: they wait for the device, end at their expiry, and are done by evidence alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from edge_bridge.fleet.command_book import CommandBook
from edge_bridge.fleet.command_driver import CommandDriver
from edge_bridge.fleet.device_command import CommandSight, CommandState, DeviceCommand, advance_command, parse_command
from edge_bridge.fleet.people.roles import FleetRole
from tests.edge_bridge.fleet.api.people import PeopleApi, serve_people

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

AWAY, HERE, BORN = CommandSight(False, "1"), CommandSight(True, "1"), CommandSight(True, "2")  # noqa: FBT003


@pytest.fixture
def api(tmp_path: Path) -> Generator[PeopleApi]:
    with serve_people(tmp_path) as served:
        served.add("ann", FleetRole.OPERATOR)
        yield served


def list_states(api: PeopleApi, session: str) -> list[str]:
    return [one["state"] for one in api.ask("GET", "/devices/pack-1/commands", session).json()["commands"]]


def test_a_command_waits_is_sent_again_and_ends() -> None:
    command: Any = DeviceCommand("1", parse_command({**_BODY}).kind, 0, 60_000, "ann")
    seen = list[tuple[str, bool]]()
    for sight, now_ms in ((AWAY, 0), (HERE, 1_000), (HERE, 2_000), (AWAY, 12_000), (HERE, 12_000), (BORN, 13_000)):
        command, is_due = advance_command(command, sight, now_ms)
        seen.append((command.state.value, is_due))
    assert seen == [
        ("queued", False),
        ("sent", True),
        ("sent", False),
        ("sent", False),
        ("sent", True),
        ("done", False),
    ]
    late, _ = advance_command(DeviceCommand("1", command.kind, 0, 10, "ann"), BORN, 10)
    assert late.state is CommandState.EXPIRED, "a birth before it was sent is no answer"
    assert advance_command(late, HERE, 11) == (late, False)


_BODY = {"id": "1", "kind": "rebirth", "made_ms": 0, "expires_ms": 1, "by": "ann", "state": "queued"}


def test_a_command_goes_on_after_a_restart(api: PeopleApi) -> None:
    session, context = api.begin_session("ann"), api.app.state.context
    sight, asked = [AWAY], list[str]()

    def start() -> CommandDriver:
        return CommandDriver(context.commands, lambda _: sight[0], lambda node, _: asked.append(node), context.now_ms)

    driver = start()
    made = api.ask("POST", "/devices/pack-1/commands", session, json={"kind": "rebirth", "expires_s": 60})
    assert made.status_code == 202, made.text
    driver.turn()
    assert (list_states(api, session), asked) == (["queued"], [])
    sight[0], driver = HERE, start()
    driver.turn()
    driver.turn()
    assert (list_states(api, session), asked) == (["sent"], ["pack-1"])
    sight[0] = BORN
    driver.turn()
    assert list_states(api, session) == ["done"]
    api.ask("POST", "/devices/pack-1/commands", session, json={"kind": "rebirth", "expires_s": 10})
    api.advance(10_000)
    driver.turn()
    assert list_states(api, session) == ["expired", "done"]
    assert [one.action for one in context.reader.read_audit(None, 9)] == ["command.rebirth"] * 2


def test_a_device_is_not_flooded_and_must_be_known(api: PeopleApi) -> None:
    session, order = api.begin_session("ann"), {"kind": "rebirth"}
    answers = [api.ask("POST", "/devices/pack-1/commands", session, json=order).status_code for _ in range(11)]
    assert answers == [202] * 10 + [409]
    assert len(list_states(api, session)) == 10
    assert api.ask("POST", "/devices/never-seen/commands", session, json=order).status_code == 404
    assert api.ask("POST", "/devices/pack-1/commands", session, json={"kind": "explode"}).status_code == 422


ROWS = {"boot": "aa", "first": 3, "last": 7}


def test_a_resend_is_done_by_the_answer_of_the_device_alone(api: PeopleApi) -> None:
    session, context = api.begin_session("ann"), api.app.state.context
    sight, sent = [HERE], list[DeviceCommand]()
    driver = CommandDriver(context.commands, lambda _: sight[0], lambda _, one: sent.append(one), context.now_ms)
    order = {"kind": "resend", "rows": ROWS, "expires_s": 60}
    made = api.ask("POST", "/devices/pack-1/commands", session, json=order, headers={"X-Request-ID": "ticket-9"}).json()
    assert (made["rows"], made["request"], made["answer"]) == ("aa:3-7", "ticket-9", "")
    driver.turn()
    assert [(one.id, one.rows) for one in sent] == [(made["id"], "aa:3-7")]
    sight[0] = BORN
    driver.turn()
    assert list_states(api, session) == ["sent"], "a birth says nothing of rows"
    sight[0] = replace(BORN, answered="another", answer="0 rows")
    driver.turn()
    assert list_states(api, session) == ["sent"]
    sight[0] = replace(BORN, answered=made["id"], answer="5 rows are sent again")
    driver.turn()
    (done,) = api.ask("GET", "/devices/pack-1/commands", session).json()["commands"]
    assert (done["state"], done["answer"]) == ("done", "5 rows are sent again")
    (entry,) = context.reader.read_audit(None, 9)
    assert (entry.action, entry.object) == ("command.resend", "device/pack-1")
    assert json.loads(entry.after) == {"command": made["id"], "request": "ticket-9", "rows": "aa:3-7"}


def test_a_resend_of_no_rows_or_too_many_is_refused(api: PeopleApi) -> None:
    session = api.begin_session("ann")
    for rows in (None, ROWS | {"last": 2}, ROWS | {"last": 3 + 5_000}, ROWS | {"boot": "AA"}, ROWS | {"first": 0}):
        order = {"kind": "resend", "rows": rows}
        assert api.ask("POST", "/devices/pack-1/commands", session, json=order).status_code == 422, rows
    order = {"kind": "rebirth", "rows": ROWS}
    assert api.ask("POST", "/devices/pack-1/commands", session, json=order).status_code == 422


def test_of_two_hosts_the_one_that_has_the_device_sends_and_once(api: PeopleApi) -> None:
    """Both look at one database; the lease of the device's group moves from the first to the second."""
    session, context = api.begin_session("ann"), api.app.state.context
    holder, sent = ["one"], list[tuple[str, str]]()

    def start(host: str) -> CommandDriver:
        book = CommandBook(context.documents)

        def see(_node: str) -> CommandSight:
            return CommandSight(host == holder[0], "1")

        return CommandDriver(book, see, lambda _, one: sent.append((host, one.id)), context.now_ms)

    drivers = [start("two"), start("one")]

    def turn() -> None:
        for driver in drivers:
            driver._listed_s = float("-inf")  # pyright: ignore[reportPrivateUsage]  # look at the database now
            driver.turn()

    order = {"kind": "rebirth", "expires_s": 60}
    first = api.ask("POST", "/devices/pack-1/commands", session, json=order).json()["id"]
    turn()
    turn()
    assert sent == [("one", first)]
    holder[0] = "two"
    turn()
    assert sent == [("one", first)], "it was sent a moment ago"
    second = api.ask("POST", "/devices/pack-1/commands", session, json=order).json()["id"]
    turn()
    turn()
    assert sent == [("one", first), ("two", second)]
    api.advance(10_000)
    turn()
    assert sent[2:] == [("two", first), ("two", second)], "without an answer the host that has it now sends again"
    holder[0] = "nobody"
    api.advance(60_000)
    turn()
    assert list_states(api, session) == ["expired", "expired"], "no host is needed for a command to expire"
