"""One host for several groups: commands go to a node's own group, and a name belongs to one group at a time."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from edge_bridge.fleet import commands
from edge_bridge.fleet.commit_thread import CommitThread
from edge_bridge.fleet.host import HostApplication
from edge_bridge.sparkplug.topics import make_group_filters
from tests.edge_bridge.fleet.pack import Desk, Pack, asked

if TYPE_CHECKING:
    from pathlib import Path


class TwoGroups(Desk):
    """A desk for two groups."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.host = HostApplication(["north", "south"], "fleet", self.store.read_nodes())


def topics(desk: Desk, kind: str) -> list[str]:
    found = [message.topic for message in desk.sent if f"/{kind}/" in message.topic]
    desk.sent.clear()
    return found


def test_each_node_is_asked_in_its_own_group(tmp_path: Path) -> None:
    with closing(TwoGroups(tmp_path / "f.db")) as desk:
        of_groups = (*make_group_filters("north"), *make_group_filters("south"))
        assert desk.host.subscriptions[1:] == (*of_groups, "pulsebms/revoked/+")
        north, south = Pack("pack-1", group="north"), Pack("pack-2", group="south")
        desk.hear(north.birth(), south.row(1), south.row(2))
        assert topics(desk, "NCMD") == ["spBv1.0/south/NCMD/pack-2"]
        assert (desk.host.find_group("pack-1"), desk.host.find_group("pack-2")) == ("north", "north")
        result = desk.hear(south.birth(), south.row(1), north.row(1))
        made = commands.make_acknowledgements(desk.host.find_group, result.kept, 0)
        assert {message.topic for message in made} == {"spBv1.0/south/NCMD/pack-2", "spBv1.0/north/NCMD/pack-1"}
        assert asked(desk.store, "SELECT node, group_id FROM node ORDER BY node") == [
            ("pack-1", "north"),
            ("pack-2", "south"),
        ]


def test_a_name_that_is_online_is_refused_under_another_group_and_moves_when_it_is_offline(tmp_path: Path) -> None:
    with closing(TwoGroups(tmp_path / "f.db")) as desk:
        first, second = Pack(group="north"), Pack(group="south", boot="02")
        desk.hear(first.birth(), second.birth(), second.row(1), first.row(1))
        assert desk.refused == {"other_group": 2}
        assert asked(desk.store, "SELECT boot FROM row") == [(first.boot,)]
        desk.hear(first.death(), second.row(2))
        assert topics(desk, "NCMD")[-1] == "spBv1.0/south/NCMD/pack-1"
        desk.hear(first.death(), second.birth(), second.row(3))
        assert asked(desk.store, "SELECT group_id, online FROM node") == [("south", 1)]
        desk.hear(first.birth())
        assert desk.refused["other_group"] == 3


def test_a_name_that_is_online_at_another_host_is_refused_with_its_rows(tmp_path: Path) -> None:
    with closing(Desk(tmp_path / "f.db")) as desk:
        desk.host = HostApplication("north", "fleet")
        first, second = Pack(group="north"), Pack(group="south", boot="02")
        desk.hear(first.birth(), first.row(1))
        north, desk.host = desk.host, HostApplication("south", "fleet")
        result = desk.hear(second.birth(), second.row(1))
        assert (set(result.strangers), result.kept) == ({"pack-1"}, {})
        assert asked(desk.store, "SELECT boot FROM row") == [(first.boot,)]
        for name in result.strangers:
            desk.host.drop_node(name)
        assert not desk.host.nodes
        desk.host = north
        desk.hear(first.death())
        desk.host = HostApplication("south", "fleet")
        assert not desk.hear(second.birth(), second.row(1)).strangers
        desk.host = north
        north.handle_disconnected()  # its old note does not take the node back
        desk.hear()
        assert asked(desk.store, "SELECT group_id, online FROM node") == [("south", 1)]


def test_a_node_of_the_version_before_gets_its_group_with_its_birth(tmp_path: Path) -> None:
    with closing(Desk(tmp_path / "f.db")) as desk:
        desk.hear(Pack().birth())
        asked(desk.store, "UPDATE node SET group_id = ''")
        desk.host = HostApplication(["pulsebms", "south"], "fleet", desk.store.read_nodes())
        desk.host.handle_connected(0, desk.now)
        desk.hear()
        assert topics(desk, "NCMD") == ["spBv1.0/pulsebms/NCMD/pack-1", "spBv1.0/south/NCMD/pack-1"]
        desk.hear(Pack(group="south").birth())
        assert asked(desk.store, "SELECT group_id FROM node") == [("south",)]


def test_rows_that_are_read_quickly_belong_to_the_group_of_their_topic(tmp_path: Path) -> None:
    with closing(TwoGroups(tmp_path / "f.db")) as desk:
        first, second = Pack(group="north"), Pack(group="south", boot="02")
        desk.host.handle_messages([first.birth(), *map(first.row, range(1, 8))], desk.now, 0)
        desk.host.handle_messages([*map(first.row, range(8, 12)), second.row(1)], desk.now, 0)
        desk.host.handle_messages([first.death(), second.birth(), *map(second.row, range(2, 8))], desk.now, 0)
        late = replace(second.row(8), topic=first.row(0).topic)  # in the old group, with the `seq` that is expected
        desk.host.handle_messages([late], desk.now, 0)
        desk.hear()
        assert desk.refused == {"other_group": 2}
        assert asked(desk.store, "SELECT boot, count(*) FROM row GROUP BY boot ORDER BY boot") == [
            (first.boot, 11),
            (second.boot, 6),
        ]


def test_what_waits_of_a_node_that_is_online_at_another_host_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    with closing(Desk(path)) as desk:
        desk.host = HostApplication("north", "fleet")
        desk.hear(Pack(group="north").birth())
        stranger, known = Pack(group="south", boot="02"), Pack("pack-2", group="south")
        host, commits = HostApplication("south", "fleet"), CommitThread(desk.store)
        for messages in ([stranger.birth(), known.birth(), stranger.row(1)], [stranger.row(2), known.row(1)]):
            host.handle_messages(messages, desk.now, 0)
            commits.add(host.drain()[0])
            commits.start()
        host.handle_messages([stranger.row(3), known.row(2)], desk.now, 0)
        committed = commits.finish(None)
        assert committed is not None
        assert set(committed.result.strangers) == {"pack-1"}
        commits.drop_nodes(committed.result.strangers)
        host.drop_node("pack-1")
        commits.add(host.drain()[0])
        commits.start(at_once=True)
        commits.finish(None)
        commits.close()
        assert asked(desk.store, "SELECT node, seq FROM row ORDER BY seq") == [("pack-2", 1), ("pack-2", 2)]
