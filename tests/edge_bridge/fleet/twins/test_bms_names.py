"""What the numbers of a BMS mean, by the value tables of the bundle that a device runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from edge_bridge.bundle.value_names import read_bms_names
from tests.edge_bridge.fleet.pack import Pack

if TYPE_CHECKING:
    from tests.edge_bridge.fleet.api.served import Served
    from tests.edge_bridge.fleet.twins.conftest import FieldBundle

NOTHING: Final[dict[str, Any]] = {"bundle": None, "states": {}, "faults": {}}


def test_a_bundle_names_states_and_faults_as_its_dbc_does(field_bundle: FieldBundle) -> None:
    names = read_bms_names(field_bundle.data)
    assert (names.states[3], names.states[4]) == ("NORMAL", "FAULT")
    assert (names.faults[0], names.faults[7]) == ("NONE", "OPEN_WIRE")


def test_the_names_of_a_device_are_those_of_its_bundle(fleet: Served, field_bundle: FieldBundle) -> None:
    found = fleet.get("/devices/pack-1/bms-names")
    assert found["bundle"] == field_bundle.found.sha256
    assert (found["states"]["3"], found["faults"]["1"]) == ("NORMAL", "CELL_OVERVOLTAGE")
    assert "99" not in found["states"]


def test_a_bundle_that_is_not_here_names_nothing(fleet: Served) -> None:
    fleet.desk.hear(Pack("pack-8").birth(Bundle_Sha256="cd" * 32), Pack("pack-9").birth(Bundle_Sha256="<b>"))
    assert fleet.get("/devices/pack-8/bms-names") == NOTHING
    assert fleet.get("/devices/pack-9/bms-names") == NOTHING
    fleet.get("/devices/nobody/bms-names", 404)
