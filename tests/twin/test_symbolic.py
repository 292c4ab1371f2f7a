from __future__ import annotations

import numpy as np
import pytest

from twin import casadi_functions


def test_compiled_function_sees_what_lies_in_its_input_arrays() -> None:
    x, gain = casadi_functions.symbol("x", 3, 2), casadi_functions.symbol("gain")
    compiled = casadi_functions.CompiledFunction(
        casadi_functions.function("scaled", {"x": x, "gain": gain}, {"y": gain * x})
    )
    compiled.inputs[0][:] = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    compiled.inputs[1][:] = 2.0
    np.testing.assert_array_equal(compiled()[0], [[2.0, 4.0], [6.0, 8.0], [10.0, 12.0]])
    compiled.inputs[1][:] = -1.0
    np.testing.assert_array_equal(compiled()[0][2], [-5.0, -6.0])


def test_sparse_result_is_refused_by_name() -> None:
    x = casadi_functions.symbol("x", 2)
    sparse = casadi_functions.function("f", {"x": x}, {"slope": casadi_functions.jacobian(x * x, x)})
    with pytest.raises(ValueError, match="f: result slope is sparse"):
        casadi_functions.CompiledFunction(sparse)


def test_tridiagonal_solve_agrees_with_a_dense_solver() -> None:
    rng = np.random.default_rng(1)
    matrix = np.diag(rng.uniform(3.0, 4.0, 8)) + np.diag(rng.uniform(-1, 1, 7), 1) + np.diag(rng.uniform(-1, 1, 7), -1)
    right = rng.standard_normal(8)
    a, b = casadi_functions.symbol("a", 8, 8), casadi_functions.symbol("b", 8)
    solve = casadi_functions.function("solve", {"a": a, "b": b}, {"y": casadi_functions.tridiagonal_solve(a, b)})
    found = np.ravel(casadi_functions.evaluate(solve, [matrix, right])[0])
    np.testing.assert_allclose(found, np.linalg.solve(matrix, right), rtol=1e-12)


def test_function_survives_being_written() -> None:
    x = casadi_functions.symbol("x")
    again = casadi_functions.deserialise(
        casadi_functions.serialise(casadi_functions.function("cube", {"x": x}, {"y": x * x * x}))
    )
    assert casadi_functions.evaluate(again, [3.0])[0][0, 0] == 27.0
