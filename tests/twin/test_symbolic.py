from __future__ import annotations

import numpy as np
import pytest

from twin import symbolic


def test_compiled_function_sees_what_lies_in_its_input_arrays() -> None:
    x, gain = symbolic.symbol("x", 3, 2), symbolic.symbol("gain")
    compiled = symbolic.CompiledFunction(symbolic.function("scaled", {"x": x, "gain": gain}, {"y": gain * x}))
    compiled.inputs[0][:] = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    compiled.inputs[1][:] = 2.0
    np.testing.assert_array_equal(compiled()[0], [[2.0, 4.0], [6.0, 8.0], [10.0, 12.0]])
    compiled.inputs[1][:] = -1.0
    np.testing.assert_array_equal(compiled()[0][2], [-5.0, -6.0])


def test_sparse_result_is_refused_by_name() -> None:
    x = symbolic.symbol("x", 2)
    sparse = symbolic.function("f", {"x": x}, {"slope": symbolic.jacobian(x * x, x)})
    with pytest.raises(ValueError, match="f: result slope is sparse"):
        symbolic.CompiledFunction(sparse)


def test_tridiagonal_solve_agrees_with_a_dense_solver() -> None:
    rng = np.random.default_rng(1)
    matrix = np.diag(rng.uniform(3.0, 4.0, 8)) + np.diag(rng.uniform(-1, 1, 7), 1) + np.diag(rng.uniform(-1, 1, 7), -1)
    right = rng.standard_normal(8)
    a, b = symbolic.symbol("a", 8, 8), symbolic.symbol("b", 8)
    solve = symbolic.function("solve", {"a": a, "b": b}, {"y": symbolic.tridiagonal_solve(a, b)})
    found = np.ravel(symbolic.evaluate(solve, [matrix, right])[0])
    np.testing.assert_allclose(found, np.linalg.solve(matrix, right), rtol=1e-12)


def test_function_survives_being_written() -> None:
    x = symbolic.symbol("x")
    again = symbolic.deserialise(symbolic.serialise(symbolic.function("cube", {"x": x}, {"y": x * x * x})))
    assert symbolic.evaluate(again, [3.0])[0][0, 0] == 27.0
