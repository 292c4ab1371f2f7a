"""What people and the audit log promise, on an SQLite file and on a real PostgreSQL server."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest

from drivers.errors import PulseError, Refused, StoreFailed, Usage
from edge_bridge.fleet.audit import audit_log
from edge_bridge.fleet.audit.chain import BrokenLink, ChainHead, find_broken_link
from edge_bridge.fleet.people import accounts, administration, sessions
from edge_bridge.fleet.people.roles import FleetRole, RoleGrant
from edge_bridge.fleet.people.sessions import MAX_SESSIONS
from edge_bridge.fleet.store.fleet_reader import FleetReader
from edge_bridge.fleet.store.fleet_writer import FleetWriter
from edge_bridge.fleet.store.open_store import open_store
from edge_bridge.fleet.store.open_writer import open_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

CHEAP: Final = "$argon2id$v=19$m=8,t=1,p=1$bm9ib2R5bm9ib2R5$bm9ib2R5bm9ib2R5bm9ib2R5"  # fits no password
ADMINISTRATOR: Final = RoleGrant(FleetRole.ADMINISTRATOR)


@pytest.fixture
def writer(where: str) -> Generator[FleetWriter]:
    with closing(open_writer(where)) as made:
        yield made


def add(writer: FleetWriter, name: str, *grants: RoleGrant) -> None:
    with writer.begin() as connection:
        accounts.add_account(connection, name, CHEAP, grants, 1_000)


def verify(where: str, anchor: ChainHead | None = None) -> tuple[ChainHead, BrokenLink | None]:
    with closing(FleetReader(where)) as reader, reader.begin() as connection:
        return find_broken_link(audit_log.read_records(connection), anchor)


def append_and_fail(writer: FleetWriter) -> None:
    with writer.begin() as connection:
        audit_log.append(connection, 1, "eve", "test", "x")
        connection.exec_driver_sql("INSERT INTO no_such_table VALUES (1)")


def run_at_once(*works: Callable[[], Any]) -> list[BaseException | None]:
    """Run them in threads that begin together; return what each raised."""
    found: list[BaseException | None] = [None] * len(works)
    barrier = threading.Barrier(len(works))

    def run(place: int) -> None:
        barrier.wait()
        try:
            works[place]()
        except PulseError as error:
            found[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_writers_at_once_do_not_fork_the_chain(where: str, writer: FleetWriter) -> None:
    def append(who: str) -> None:
        with closing(FleetWriter(where)) as own:
            for number in range(10):
                with own.begin() as connection:
                    audit_log.append(connection, number, who, "test", "x", after={"number": number})

    assert run_at_once(*(lambda who=f"host-{n}": append(who) for n in range(4))) == [None] * 4
    head, broken = verify(where)
    assert (head.number, broken) == (40, None)
    with closing(FleetReader(where)) as reader, reader.begin() as connection:
        assert Counter(record.who for record in audit_log.read_records(connection)) == {
            f"host-{n}": 10 for n in range(4)
        }


def test_an_entry_is_there_exactly_if_its_change_is(where: str, writer: FleetWriter) -> None:
    add(writer, "eve", ADMINISTRATOR)
    with pytest.raises(Refused, match="the last administrator"):
        administration.disable_account(writer, "eve", "eve", 2_000)
    with pytest.raises(StoreFailed):
        append_and_fail(writer)
    assert verify(where)[0].number == 0
    administration.set_grants(writer, "eve", "eve", [ADMINISTRATOR, RoleGrant(FleetRole.VIEWER, "north")], 3_000)
    assert verify(where)[0].number == 1


@pytest.mark.parametrize(
    ("statement", "entry", "finding"),
    [
        ("UPDATE audit SET who = 'bob' WHERE id = 2", 2, "changed"),
        ("UPDATE audit SET after = '' WHERE id = 1", 1, "changed"),
        ("DELETE FROM audit WHERE id = 2", 2, "missing"),
        ("DELETE FROM audit WHERE id = 3", 3, "cut off"),
        ("UPDATE audit SET id = 9 WHERE id = 3", 3, "missing"),
    ],
)
def test_what_is_done_to_the_log_is_named(
    where: str, writer: FleetWriter, statement: str, entry: int, finding: str
) -> None:
    for number in range(3):
        with writer.begin() as connection:
            audit_log.append(connection, number, "eve", "test", f"x-{number}", before=[1], after={"é": "\0\ud800"})
    head, broken = verify(where)
    assert (head.number, broken) == (3, None)
    with writer.begin() as connection:
        connection.exec_driver_sql(statement)
    _, broken = verify(where, head)
    assert broken is not None
    assert broken.number == entry
    assert finding in broken.finding


def test_two_at_once_do_not_remove_both_administrators(where: str, writer: FleetWriter) -> None:
    add(writer, "eve", ADMINISTRATOR)
    add(writer, "bob", ADMINISTRATOR)

    def disable(name: str) -> None:
        with closing(FleetWriter(where)) as own:
            administration.disable_account(own, "console", name, 2_000)

    found = run_at_once(lambda: disable("eve"), lambda: disable("bob"))
    assert sorted(type(error).__name__ for error in found) == ["NoneType", "Refused"]
    with writer.begin() as connection:
        assert [one.disabled_ms for one in accounts.list_accounts(connection)].count(None) == 1


def test_two_at_once_do_not_make_two_first_administrators(where: str, writer: FleetWriter) -> None:
    def claim(name: str) -> None:
        with closing(FleetWriter(where)) as own:
            administration.claim_administrator(own, name, "four words and more", ADMINISTRATOR, 1_000)

    found = run_at_once(lambda: claim("eve"), lambda: claim("bob"))
    assert sorted(type(error).__name__ for error in found) == ["NoneType", "Refused"]


def test_an_account_has_its_roles_and_its_name_once(writer: FleetWriter) -> None:
    with pytest.raises(Refused, match="the first account"):
        add(writer, "bob", RoleGrant(FleetRole.VIEWER))
    add(writer, "eve", ADMINISTRATOR)
    add(writer, "bob", RoleGrant(FleetRole.VIEWER, "north"), RoleGrant(FleetRole.OPERATOR, "south"))
    with pytest.raises(Usage, match="already"):
        add(writer, "bob")
    for name in ("", "Bob", "local", "bob\0", "x" * 61, "-bob", "bob/eve", "böb"):
        with pytest.raises(Usage, match="cannot be the name"):
            add(writer, name)
    with writer.begin() as connection:
        bob, eve = accounts.list_accounts(connection)
        assert (bob.name, sorted(bob.grants)) == (
            "bob",
            [RoleGrant(FleetRole.OPERATOR, "south"), RoleGrant(FleetRole.VIEWER, "north")],
        )
        assert eve.grants == {ADMINISTRATOR}
        assert [one.name for one in accounts.list_accounts(connection, "bob", 1)] == ["eve"]


def test_the_sessions_of_an_account_are_bounded_and_old_ones_are_removed(writer: FleetWriter) -> None:
    add(writer, "eve", ADMINISTRATOR)
    with writer.begin() as connection:
        first, *others = (sessions.begin_session(connection, "eve", "a", 1_000 + n) for n in range(MAX_SESSIONS + 1))
        assert sessions.find_session(connection, first, 2_000) is None
        assert all(sessions.find_session(connection, one, 2_000) for one in others)
        later_ms = 2_000 + sessions.LIFE_MS
        newest = sessions.begin_session(connection, "eve", "a", later_ms)
        assert connection.exec_driver_sql("SELECT count(*) FROM session").scalar() == 1
        assert sessions.find_session(connection, newest, later_ms - sessions.LIFE_MS) is None, "the clock went back"
        assert sessions.end_sessions(connection, "eve") == 1


def test_accounts_are_made_beside_a_fleet_that_runs(where: str) -> None:
    with closing(open_store(where)), closing(open_writer(where)) as writer:
        add(writer, "eve", ADMINISTRATOR)
        with writer.begin() as connection:
            assert accounts.has_accounts(connection)
