from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.twin.cell_physics import PHYSICS
from twin import casadi_functions, spme_model
from twin.batch_function import BLOCK_CELLS, BatchFunction

if TYPE_CHECKING:
    from collections.abc import Callable

FMAX: Any = casadi_functions.fmax
ONE: dict[str, Callable[[Any], Any]] = {
    "twice": lambda x: x + x,
    "square": lambda x: x * x,
    "root": lambda x: (x * x + 1.0) ** 0.5,
    "inverse": lambda x: 1.0 / x,
    "power": lambda x: FMAX(x, 0.1) ** 1.5,
    "exponential": casadi_functions.exp,
    "no operation": lambda x: x,
    "sign": casadi_functions.sign,
}
TWO: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda x, y: x + y,
    "difference": lambda x, y: x - y,
    "product": lambda x, y: x * y,
    "quotient": lambda x, y: x / y,
    "at most": lambda x, y: x <= y,
    "greater": casadi_functions.fmax,
    "less": casadi_functions.fmin,
}


def both(function: casadi_functions.Function, given: list[np.ndarray[Any, Any]], cells: int) -> tuple[Any, Any]:
    """Ours for all cells, and CasADi's cell by cell."""
    ours = BatchFunction(function, cells)
    for row, values in zip(ours.inputs, given, strict=True):
        row[:] = values
    each = [casadi_functions.evaluate(function, [values[:, n] for values in given]) for n in range(cells)]
    theirs = [np.hstack([one[output] for one in each]) for output in range(function.n_out())]
    return ours(), theirs


@pytest.mark.parametrize("cells", [1, 3, BLOCK_CELLS, BLOCK_CELLS + 1])
@pytest.mark.parametrize("name", [*ONE, *TWO])
def test_every_operation_answers_as_casadi_for_each_cell(name: str, cells: int) -> None:
    x, y = casadi_functions.symbol("x", 2), casadi_functions.symbol("y")
    expression = ONE[name](x[1]) if name in ONE else TWO[name](x[1], y)
    function = casadi_functions.function("f", {"x": x, "y": y}, {"z": casadi_functions.vertcat(expression, x[0])})
    random = np.random.default_rng(cells)
    ours, theirs = both(function, [random.normal(size=(2, cells)), random.normal(size=(1, cells))], cells)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-14)


def test_a_number_that_is_none_loses_against_one_that_is_as_in_casadi() -> None:
    x, y = casadi_functions.symbol("x"), casadi_functions.symbol("y")
    function = casadi_functions.function(
        "f", {"x": x, "y": y}, {"more": casadi_functions.fmax(x, y), "less": casadi_functions.fmin(x, y)}
    )
    given = [np.array([[np.nan, 1.0]]), np.array([[2.0, np.nan]])]
    ours, theirs = both(function, given, 2)
    np.testing.assert_array_equal(np.vstack(ours), np.vstack(theirs))
    np.testing.assert_array_equal(ours[0], [[2.0, 1.0]])


def test_the_sign_of_zero_is_zero_and_that_of_no_number_is_none() -> None:
    x = casadi_functions.symbol("x")
    ours = BatchFunction(casadi_functions.function("f", {"x": x}, {"sign": casadi_functions.sign(x)}), 4)
    ours.inputs[0][:] = [[-3.0, 0.0, 2.0, np.nan]]
    np.testing.assert_array_equal(ours()[0], [[-1.0, 0.0, 1.0, np.nan]])


def test_of_a_sparse_result_only_its_entries_are_computed() -> None:
    x = casadi_functions.symbol("x", 3)
    slopes = casadi_functions.jacobian(casadi_functions.vertcat(x[1] ** 2, x[0] * x[2]), x)
    function = casadi_functions.function("f", {"x": x}, {"slopes": slopes})
    given = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 7.0]])
    ours = BatchFunction(function, 2)
    ours.inputs[0][:] = given
    rows, columns = casadi_functions.list_entries(function, 0)
    assert list(zip(rows, columns, strict=True)) == [(1, 0), (0, 1), (1, 2)]
    for cell in range(2):
        whole = np.zeros((2, 3))
        whole[rows, columns] = ours()[0][:, cell]
        np.testing.assert_array_equal(whole, casadi_functions.evaluate(function, [given[:, cell]])[0])


def test_a_cell_driven_out_of_bounds_leaves_its_neighbours_alone() -> None:
    x = casadi_functions.symbol("x")
    function = casadi_functions.function("f", {"x": x}, {"y": 1.0 / x})
    ours = BatchFunction(function, 3)
    ours.inputs[0][:] = [[2.0, 0.0, 4.0]]
    np.testing.assert_array_equal(ours()[0], [[0.5, np.inf, 0.25]])


def test_an_operation_that_is_not_known_is_refused_by_name() -> None:
    x = casadi_functions.symbol("x")
    function = casadi_functions.function(
        "f", {"x": x}, {"y": casadi_functions.sumsqr(casadi_functions.vertcat(x, x)) % 2.0}
    )
    with pytest.raises(ValueError, match="f: instruction"):
        BatchFunction(function, 1)


def test_the_spme_of_24_cells_is_casadis_to_the_last_digits() -> None:
    model, cells = spme_model.load(PHYSICS), 24
    random = np.random.default_rng(3)
    x = model.find_rest_state(np.linspace(0.1, 0.9, cells)) + model.polarised[:, None] * random.normal(size=cells)
    rest = [random.uniform(*bounds, (1, cells)) for bounds in ((270, 320), (-10, 10), (0.001, 1), (270, 320), (0.5, 2))]
    ours, theirs = both(model.step, [x, *rest], cells)
    for mine, casadis in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, casadis, rtol=1e-12)
