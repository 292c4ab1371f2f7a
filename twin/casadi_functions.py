"""The only module that imports CasADi: symbols, derivatives, functions on disk, calls on numpy arrays without copies.

Re-exported under their own names: `Sx` (scalar expressions, operators overloaded), `Function`, `vertcat`, `horzcat`,
`mtimes`, `jacobian`, `gradient`, `if_else`, `fmax`, `fmin`, `exp`, `sign`, `sumsqr`,
`sum1`, `dot`, `diag`, `triu`, `inf`, `nlpsol` (oracles).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import casadi
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drivers.snapshot import Columns, Floats

VERSION: Final = casadi.CasadiMeta.version()

_NO_SCALAR_FORM: Final = "eval_sx"  # what CasADi says of an interpolated table

Sx = casadi.SX
Function = casadi.Function
vertcat = casadi.vertcat
horzcat = casadi.horzcat
mtimes = casadi.mtimes
jacobian = casadi.jacobian
gradient = casadi.gradient
if_else = casadi.if_else
fmax = casadi.fmax
fmin = casadi.fmin
exp = casadi.exp
sign = casadi.sign
sumsqr = casadi.sumsqr
sum1 = casadi.sum1
dot = casadi.dot
diag = casadi.diag
triu = casadi.triu
inf = casadi.inf
nlpsol = casadi.nlpsol


class ExpansionError(ArithmeticError):
    """A table has no form as scalar expressions."""


def symbol(name: str, rows: int = 1, columns: int = 1) -> casadi.SX:
    """Return a free symbol of `rows` x `columns`."""
    return casadi.SX.sym(name, rows, columns)


def matrix_symbol(name: str, rows: int = 1) -> casadi.MX:
    """Return a free symbol for large programs: an expression of whole vectors, which calls functions."""
    return casadi.MX.sym(name, rows)


def call_scalar(formula: Callable[[casadi.SX], casadi.SX], argument: casadi.MX) -> casadi.MX:
    """Return a formula of one number at a place in a large program."""
    x = symbol("x")
    return cast("Any", casadi.Function("scalar", [x], [formula(x)]))(argument)


def function(name: str, inputs: Mapping[str, casadi.SX], outputs: Mapping[str, casadi.SX]) -> casadi.Function:
    """Return the function from `inputs` to `outputs`, both in that order and under those names."""
    return casadi.Function(name, list(inputs.values()), list(outputs.values()), list(inputs), list(outputs))


def accumulate(step: casadi.Function, stages: int) -> casadi.Function:
    """Return the states that `step` passes through: its first input is the state, the others come side by side."""
    return step.mapaccum(f"{step.name()}_along", stages)


def inline(
    inputs: Sequence[casadi.MX], outputs: Sequence[casadi.MX], arguments: Sequence[casadi.SX | float]
) -> list[casadi.SX]:
    """Return matrix expressions `outputs` of `inputs` as scalar expressions of `arguments`.

    Raise `ExpansionError` where one has no scalar form.
    """
    whole = casadi.Function("whole", list(inputs), list(outputs))
    try:
        expanded = whole.expand()
    except RuntimeError as error:
        if _NO_SCALAR_FORM in str(error):
            raise ExpansionError from error
        raise
    return [casadi.SX(result) for result in expanded.call([casadi.SX(argument) for argument in arguments])]


def identity(rows: int) -> casadi.SX:
    """Return the identity matrix."""
    return casadi.SX.eye(rows)


def dense(expression: casadi.SX) -> casadi.SX:
    """Return the same values without structural zeros, so that a buffer holds all of them."""
    return casadi.densify(expression)


def share(expressions: Sequence[casadi.SX]) -> list[casadi.SX]:
    """Return the same expressions, with what they have in common computed once."""
    return list(cast("Any", casadi).cse(list(expressions)))


def list_entries(function: casadi.Function, result: int) -> tuple[Columns, Columns]:
    """Return row and column of the entries of a result that are not always zero, column by column."""
    rows, columns = function.sparsity_out(result).get_triplet()
    return np.array(rows, np.intp), np.array(columns, np.intp)


def tridiagonal_solve(matrix: casadi.SX, right: casadi.SX) -> casadi.SX:
    """Solve `matrix` y = `right` for a tridiagonal, diagonally dominant matrix without pivoting (Thomas 1949)."""
    n = right.shape[0]
    scaled, y = [matrix[0, 0]], [right[0]]
    for k in range(1, n):
        factor = matrix[k, k - 1] / scaled[k - 1]
        scaled.append(matrix[k, k] - factor * matrix[k - 1, k])
        y.append(right[k] - factor * y[k - 1])
    y[-1] = y[-1] / scaled[-1]
    for k in reversed(range(n - 1)):
        y[k] = (y[k] - matrix[k, k + 1] * y[k + 1]) / scaled[k]
    return casadi.vertcat(*y)


def operation(name: str) -> int:
    """Return the number of an operation, such as ADD, in `Function.instruction_id`; raise `AttributeError`."""
    return int(getattr(casadi, f"OP_{name}"))


def serialise(function: casadi.Function) -> str:
    """Return the function as text, which `deserialise` of this CasADi version can read."""
    return function.serialize()


def deserialise(text: str) -> casadi.Function:
    """Return the function that `serialise` wrote."""
    return casadi.Function.deserialize(text)


class CompiledFunction:
    """A function bound to numpy arrays: fill `inputs`, call, read `outputs` (all float64, column-major, never moved).

    Both hold one array per argument, of shape (rows,) for a column and (rows, columns) otherwise; results must be
    dense. A call costs only the evaluation. Do not share it between threads.
    """

    def __init__(self, function: casadi.Function) -> None:
        self.function = function
        self.inputs = tuple(_array(function.size_in(n)) for n in range(function.n_in()))
        self.outputs = tuple(_array(function.size_out(n)) for n in range(function.n_out()))
        for n in range(function.n_out()):
            if function.nnz_out(n) != function.numel_out(n):
                raise ValueError(f"{function.name()}: result {function.name_out(n)} is sparse; pass it through dense()")
        buffer, self._evaluate = function.buffer()
        self._buffer: Any = buffer  # its stub requires a size that the binding takes from the memory itself
        for n, array in enumerate(self.inputs):
            self._buffer.set_arg(n, _memory(array))
        for n, array in enumerate(self.outputs):
            self._buffer.set_res(n, _memory(array))

    def __call__(self) -> tuple[Floats, ...]:
        """Evaluate at the present `inputs`; return `outputs`, which the next call overwrites."""
        self._evaluate()
        return self.outputs


def evaluate(function: casadi.Function, arguments: Sequence[Floats | float]) -> tuple[Floats, ...]:
    """Call a function once and return fresh arrays; slow and simple, for set-up."""
    results = function.call([casadi.DM(argument) for argument in arguments])
    return tuple(np.array(cast("Any", result).full(), dtype=np.float64) for result in results)


def _array(size: tuple[int, int]) -> Floats:
    rows, columns = size
    return np.zeros(rows) if columns == 1 else np.zeros((rows, columns), order="F")


def _memory(array: Floats) -> memoryview:
    return array.T.data  # column-major seen as row-major, the only layout that the binding accepts
