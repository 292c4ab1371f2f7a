"""A twin past its equations says so: which cells, from when to when; nothing freezes without a word."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from control.model_range import ModelRange
from drivers.event import EventKind, Level
from twin.cell_parameters import load_cell
from twin.ecm import EcmPack
from twin.ports import PackState
from twin.spme import SpmePack

if TYPE_CHECKING:
    from tests.twin.conftest import MakePack
    from twin.ports import Twin
    from twin.spme_model import SpmeModel

AMBIENT_K = 298.15
CURRENT_A = 5.0


@pytest.fixture(params=["ecm", "spme"])
def twin(request: pytest.FixtureRequest, make_pack: MakePack, spme: SpmeModel) -> Twin:
    """Three cells, of which the second is nearly empty."""
    pack = replace(make_pack(3), soc0=np.array([0.6, 0.02, 0.6]))
    if request.param == "ecm":
        return EcmPack(pack, load_cell().circuit)
    return SpmePack(pack, spme)


def step(twin: Twin, current_a: float, seconds: int) -> PackState:
    state = twin.step(np.full(3, current_a), AMBIENT_K, 1.0)
    for _ in range(seconds - 1):
        state = twin.step(np.full(3, current_a), AMBIENT_K, 1.0)
    return state


def test_a_cell_discharged_past_the_equations_is_named_until_it_is_back(twin: Twin) -> None:
    assert step(twin, CURRENT_A, 1).outside == ()
    assert step(twin, CURRENT_A, 300).outside == (1,)
    assert step(twin, -CURRENT_A, 300).outside == ()


def pack_state(outside: tuple[int, ...]) -> PackState:
    return PackState(np.zeros(24), np.zeros(24), np.zeros(24), np.zeros(24), outside)


def test_leaving_and_returning_are_one_event_each() -> None:
    watched = ModelRange()
    events = [
        event
        for outside in ((), (2,), (2,), (2, 6), (2, 6), (), ())
        for event in watched.take_changes({"SPMe": pack_state(outside)}, "SPMe")
    ]
    assert [(event.level, event.data["cells"]) for event in events] == [
        (Level.ALARM, "3"),
        (Level.ALARM, "3, 7"),
        (Level.INFO, ""),
    ]
    assert {event.kind for event in events} == {EventKind.MODEL_RANGE}


def test_a_twin_in_shadow_warns() -> None:
    (event,) = ModelRange().take_changes({"ECM": pack_state((0,))}, "SPMe")
    assert event.level is Level.WARNING
