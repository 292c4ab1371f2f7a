"""Analytics over HTTP: sums by site and day, their files, and packs that are still to be read."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import pytest

from edge_bridge.fleet.analytics import DAY_MS
from tests.edge_bridge.fleet.pack import START_MS, Pack
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.edge_bridge.fleet.api.served import Served

MINUTES: Final = 61
BEGIN_MS: Final = START_MS // DAY_MS * DAY_MS


def find_site(node: str) -> str | None:
    return node.partition("-")[0]


@pytest.fixture
def measured(served: Served) -> Served:
    """A pack that gives 800 W for an hour, and one that takes 400 W."""
    for name, current in (("north-1", 10.0), ("south-1", -5.0)):
        pack = Pack(name)
        birth = pack.birth(BEGIN_MS)
        rows = [
            pack.row(number, BEGIN_MS + number * 60_000, Pack_Current=current, Pack_Voltage=80.0, Pack_SoC=0.5)
            for number in range(1, MINUTES + 1)
        ]
        assert served.desk.hear(birth, *rows).new == MINUTES, served.desk.refused
    object.__setattr__(served.context, "find_site", find_site)
    return served


def read_whole(served: Served) -> dict[str, Any]:
    def ask() -> dict[str, Any] | None:
        found = served.get("/analytics/days", days=2)
        return found if found["is_done"] else None

    return wait_until(ask, what="the analytics")


def test_the_days_of_each_site_are_summed(measured: Served) -> None:
    found = read_whole(measured)
    assert (found["packs_read"], found["packs_failed"]) == (2, 0)
    north, south = found["days"]
    assert (north["site"], south["site"], found["packs_read"]) == ("north", "south", 2)
    assert north["energy_out_wh"] == pytest.approx(800.0)
    assert south["energy_in_wh"] == pytest.approx(400.0)
    assert north["charge_out_ah"] == pytest.approx(10.0)
    assert (north["energy_in_wh"], south["energy_out_wh"]) == (0.0, 0.0)
    assert found["efficiency_median"] is None
    assert [one["node"] for one in found["least_available"]] == ["north-1", "south-1"]


def test_the_sites_are_told_as_they_are_now(measured: Served) -> None:
    north, south = measured.get("/analytics/sites")["sites"]
    assert (north["packs"], north["counts"]["online"], north["power_w"]) == (1, 1, pytest.approx(800.0))
    assert south["power_w"] == pytest.approx(-400.0)


def test_the_table_comes_as_csv_and_as_parquet(measured: Served) -> None:
    read_whole(measured)
    text = measured.client.request("GET", "/analytics/days.csv?days=2").text
    head, first, *_ = text.splitlines()
    assert head.replace('"', "").startswith("site,node,day,energy_out_wh,energy_in_wh")
    assert first.replace('"', "").startswith("north,north-1,2027-01-15")
    from pyarrow import parquet  # noqa: PLC0415  # it takes a quarter of a second

    reader: Any = parquet
    table = reader.read_table(io.BytesIO(measured.client.request("GET", "/analytics/days.parquet?days=2").content))
    assert table.column("energy_out_wh").to_pylist() == pytest.approx([800.0, 0.0])
    assert table.schema.metadata[b"is_whole"] == b"true"


def test_an_empty_fleet_has_no_days(served: Served) -> None:
    found = read_whole(served)
    assert (found["days"], found["packs"], sum(found["soh_counts"])) == ([], 0, 0)
    assert served.get("/analytics/sites") == {"sites": []}
    assert served.client.request("GET", "/analytics/days.csv").status_code == 200
    served.get("/analytics/days", 422, days=91)
