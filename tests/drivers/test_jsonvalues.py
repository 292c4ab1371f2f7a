"""What JSON cannot hold becomes null."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from drivers.jsonvalues import nan_to_null, replace_nan


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, float(np.float64("nan"))])
def test_what_is_no_number_becomes_null(value: float) -> None:
    assert nan_to_null(value) is None


def test_a_number_stays_as_it_is() -> None:
    assert nan_to_null(0.0) == 0.0
    assert nan_to_null(-4.25) == -4.25


def test_every_value_inside_is_replaced_and_nothing_else() -> None:
    given: dict[Any, Any] = {"a": math.nan, 2: (1, math.inf, "nan"), "c": [{"d": -math.inf, "e": True, "f": None}]}
    told = replace_nan(given)
    assert told == {"a": None, "2": [1, None, "nan"], "c": [{"d": None, "e": True, "f": None}]}
    assert json.loads(json.dumps(told, allow_nan=False)) == told
