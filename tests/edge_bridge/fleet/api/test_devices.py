"""Health and the list of devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.errors import Usage
from edge_bridge.fleet.api.settings import parse_listen
from tests.edge_bridge.fleet.pack import START_MS, Pack

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.edge_bridge.fleet.api.served import Served


def test_health_is_live_and_ready_only_with_broker_and_database(served: Served) -> None:
    assert served.get("/health/live") == {"status": "live"}
    assert served.get("/health/ready") == {"ready": True, "database": "", "broker": ""}
    served.host.trouble = "the broker is gone"
    assert served.get("/health/ready", 503)["broker"] == "the broker is gone"


def test_devices_are_listed_by_what_needs_attention(served: Served) -> None:
    for name, verdict in (("a", "allowed"), ("b", "held"), ("c", "tripped"), ("d", "allowed")):
        pack = Pack(name)
        served.desk.hear(pack.birth(Gate_Verdict=verdict), pack.row(2))
        if name == "d":
            served.desk.hear(pack.death())
    page = served.get("/devices", sort="attention")
    assert [(one["node"], one["state"]) for one in page["devices"]] == [
        ("c", "tripped"),
        ("d", "offline"),
        ("b", "held"),
        ("a", "online"),
    ]
    assert page["counts"] == {"tripped": 1, "offline": 1, "held": 1, "online": 1}
    assert (page["total"], page["next"]) == (4, None)
    assert [one["node"] for one in served.get("/devices", state="held")["devices"]] == ["b"]


def test_devices_of_no_site_are_listed_and_counted_alone(served: Served) -> None:
    for name in ("a", "b", "c"):
        pack = Pack(name)
        served.desk.hear(pack.birth(Gate_Verdict="tripped" if name == "c" else "allowed"), pack.row(2))
    served.ask("PUT", "/sites/north", json={"devices": ["a"]}, headers={"If-None-Match": "*"})
    page = served.get("/devices", no_site=True)
    assert [one["node"] for one in page["devices"]] == ["b", "c"]
    assert (page["total"], page["counts"]["tripped"], page["counts"]["online"]) == (2, 1, 1)
    assert served.get("/devices", no_site=True, site="north")["devices"] == []
    assert served.get("/devices", no_group=True)["devices"] == []
    assert len(served.get("/devices", no_group=False, no_site=False)["devices"]) == 3


@pytest.mark.parametrize("sort", ["name", "attention", "newest", "soc", "soh", "missing"])
def test_pages_follow_each_other_without_loss_in_any_order(served: Served, sort: str) -> None:
    for number in range(7):
        pack = Pack(f"pack-{number}")
        served.desk.hear(
            pack.birth(), pack.row(1 + number % 3, START_MS + number % 2, Pack_SoC=0.5 if number % 2 else None)
        )
    whole = [one["node"] for one in served.get("/devices", sort=sort)["devices"]]
    found, cursor = list[str](), None
    while True:
        page = served.get("/devices", sort=sort, limit=2, **({"cursor": cursor} if cursor else {}))
        found += [one["node"] for one in page["devices"]]
        if not (cursor := page["next"]):
            break
    assert sorted(whole) == [f"pack-{number}" for number in range(7)]
    assert found == whole


def test_one_device_is_read_and_an_unknown_one_is_a_problem(served: Served) -> None:
    pack = Pack()
    served.desk.hear(pack.birth(Bundle_Sha256="ab" * 32), pack.row(3))
    body = served.get("/devices/pack-1")
    assert (body["online"], body["bundle"], body["rows_stored"], body["rows_missing"]) == (True, "ab" * 32, 1, 2)
    assert served.get("/devices/pack-9", 404)["type"] == "urn:pulsebms:problem:not-found"


@pytest.mark.parametrize("cursor", ["AAAA", "WyJuYW1lIl0", "W10", "bnVsbA", "WyJzb2MiLDEuMCwieCJd"])
def test_a_cursor_of_another_list_is_refused(served: Served, cursor: str) -> None:
    assert served.get("/devices", 400, cursor=cursor)["type"] == "urn:pulsebms:problem:cursor"


async def many() -> AsyncGenerator[bytes]:
    for _ in range(2):
        yield b"x" * 200_000


def test_what_cannot_be_answered_is_a_problem(served: Served) -> None:
    assert served.get("/devices", 422, limit=0)["errors"][0]["where"] == "query.limit"
    served.get("/nothing", 404)
    assert served.client.request("POST", "/devices").headers["content-type"] == "application/problem+json"
    assert served.client.request("POST", "/health/live", content=b"x" * 300_000).status_code == 413
    assert served.client.request("POST", "/health/live", content=many()).status_code in {405, 413}


@pytest.mark.parametrize("text", ["", "x", "80", "70000", "0.0.0.0:8080", "example.org:8080", ":8080", "::1"])
def test_an_address_that_is_not_loopback_or_has_no_port_is_refused(text: str) -> None:
    with pytest.raises(Usage):
        parse_listen(text)


def test_an_address_is_read() -> None:
    assert parse_listen("8080").url == "http://127.0.0.1:8080"
    assert parse_listen("[::1]:8080").url == "http://[::1]:8080"
