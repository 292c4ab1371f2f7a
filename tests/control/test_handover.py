from __future__ import annotations

import math

import numpy as np
import pytest

from control.state import BenchState
from drivers.errors import Refused
from tests.control.fakes import rig


@pytest.mark.parametrize("live", [True, False])
def test_a_state_that_is_not_a_number_is_handed_to_nobody(live: bool) -> None:  # noqa: FBT001  # a case, not a switch
    made = rig()
    made.to(BenchState.CONNECTED, *((BenchState.ARMED,) if live else ()))
    made.active_twin.offset_v = math.nan
    made.turns(2)
    if live:
        with pytest.raises(Refused, match="no state to hand over"):
            made.loop.activate("twin", "other")
        assert made.loop.parts.twins.active == "model"
    else:
        made.loop.activate("twin", "other")
    assert made.other_twin.offset_v == 0.1
    assert np.isfinite(made.turns(1).twins["other"].voltage_v).all()
