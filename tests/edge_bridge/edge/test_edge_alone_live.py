"""Whole edges without a broker: what they install, refuse, remember and revert by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_bridge.edge.probation import MAX_BOOTS
from fixtures.wiring import AnalogWiring
from tests.edge_bridge.edge.field import EdgeProcess, start_edge, until
from tests.edge_bridge.edge.keeping import installed, told_sha256

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge_bridge.edge.conftest import Shelf

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

NOBODY = "mqtt://127.0.0.1:9"  # the port that discards: nobody listens there


def test_an_edge_that_is_killed_again_and_again_on_probation_reverts_by_itself(
    tmp_path: Path, trust: Path, shelf: Shelf, edges: list[EdgeProcess]
) -> None:
    state = tmp_path / "state"
    installed(state, trust, shelf.first)
    for _ in range(MAX_BOOTS):
        edge = start_edge(state, trust, NOBODY, "--bundle", str(shelf.second))
        edges.append(edge)
        edge.wait_for("runs from slot b")
        edge.kill()
    last = start_edge(state, trust, NOBODY, "--bundle", str(shelf.second), "--duration", "2")
    edges.append(last)
    result = last.result()
    assert result["bundle"]["sha256"] == told_sha256(shelf.first)
    assert result["bundle"]["offered"] == told_sha256(shelf.second)
    assert result["bundle"]["state"] == "reverted"
    assert "before the bundle proved healthy" in result["bundle"]["reason"]
    assert last.heard("is not installed again")


def test_a_broker_that_is_absent_is_said_and_rows_wait(
    tmp_path: Path, trust: Path, shelf: Shelf, edges: list[EdgeProcess]
) -> None:
    installed(tmp_path / "state", trust, shelf.first)
    edge = start_edge(tmp_path / "state", trust, NOBODY, "--duration", "3")
    edges.append(edge)
    result = edge.result()
    assert (result["status"], result["ok"]) == (0, True)
    assert edge.heard("not connected to the broker")
    assert result["depth"] == result["produced"] > 10
    assert result["stored"] == 0
    assert result["outage_s"] >= 3.0


def test_a_bundle_by_a_stranger_ends_the_start_with_its_reason(
    tmp_path: Path, trust: Path, shelf: Shelf, edges: list[EdgeProcess]
) -> None:
    edge = start_edge(tmp_path / "state", trust, NOBODY, "--bundle", str(shelf.foreign))
    edges.append(edge)
    result = edge.result()
    assert (result["status"], result["ok"]) == (1, False)
    assert (result["error"]["code"], result["error"]["key"]) == ("bundle_refused", "unknown_signer")


def test_a_tripped_gate_asks_for_open_and_is_remembered_until_somebody_resets_it(
    tmp_path: Path, trust: Path, shelf: Shelf, edges: list[EdgeProcess]
) -> None:
    state = tmp_path / "state"
    installed(state, trust, shelf.first)
    edge = start_edge(state, trust, NOBODY)
    edges.append(edge)
    edge.wait_for("runs from slot a")
    loom = AnalogWiring(state / "pack" / "loom")
    until(lambda: loom["contactor"][0] == 1.0)
    loom["fault_cell_offset"][6] = 0.9
    edge.wait_for("the gate tripped: bms/cell_07/voltage")
    until(lambda: loom["contactor"][0] == 0.0)
    edge.end()
    again = start_edge(state, trust, NOBODY, "--duration", "4")
    edges.append(again)
    again.wait_for("the gate tripped: bms/cell_07/voltage")
    again.result()
    reset = start_edge(state, trust, NOBODY, "--reset-trip", "the cell was exchanged")
    edges.append(reset)
    reset.wait_for("runs from slot")
    until(lambda: (state / "pack" / "loom").exists() and AnalogWiring(state / "pack" / "loom")["contactor"][0] == 1.0)
    assert not reset.heard("tripped")
    reset.end()
