"""Batch evaluation of a CasADi function of one cell: execute each instruction for all cells before the next.

CasADi runs through a function's thousands of scalar instructions again for each cell. Here the cells are the inner
loop: all cells share the overhead of an instruction, and its arithmetic is vectorised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin import casadi_functions
from twin.numba_kernel import kernel

if TYPE_CHECKING:
    import numpy.typing as npt

    from drivers.snapshot import Floats
    from twin.casadi_functions import Function

    Code = npt.NDArray[np.int32]

# CasADi's names, in the order of the kernel's numbers. An operation on one operand twice is the same as on two: fewer
# loops compile faster.
_NAMES: Final = "ADD SUB MUL DIV LE FMAX FMIN HYPOT SQRT INV EXP LOG TANH ASINH SIGN CONSTPOW"
ADD, SUB, MUL, DIV, LESS_EQUAL, MAXIMUM, MINIMUM, HYPOT, SQUARE_ROOT, INVERSE, EXP, LOG, TANH, ASINH, SIGN = range(15)
OPERATIONS: Final = {casadi_functions.operation(name): number for number, name in enumerate(_NAMES.split())} | {
    casadi_functions.operation("TWICE"): ADD,
    casadi_functions.operation("SQ"): MUL,
    casadi_functions.operation("ASSIGN"): MAXIMUM,
}
INPUT, OUTPUT, CONSTANT, NEGATIVE, MAGNITUDE, COSH = (
    casadi_functions.operation(name) for name in ("INPUT", "OUTPUT", "CONST", "NEG", "FABS", "COSH")
)
OPERATION, LEFT, RIGHT, RESULT = range(4)
BLOCK_CELLS: Final = 16  # cells in four vectors of four: the rest of a shorter loop is not vectorised


class BatchFunction:
    """`function` bound to arrays `inputs` and `outputs`, one of shape (rows, cells) per argument; fill, call, read.

    The rows of a matrix are its entries, column by column; of a sparse one, those that are not always zero. Raise
    `ValueError` for a function with an operation outside `OPERATIONS`. Do not share it between threads.
    """

    def __init__(self, function: Function, cells: int) -> None:
        rows_in = [function.numel_in(n) for n in range(function.n_in())]
        rows_out = [function.nnz_out(n) for n in range(function.n_out())]
        places = _Registers(rows_in, rows_out)
        self._code = np.array(_compile(function, places), dtype=np.int32)
        self._values = np.zeros((places.count, -(-cells // BLOCK_CELLS) * BLOCK_CELLS))
        for constant, place in places.constants.items():
            self._values[place] = constant
        execute(self._code[:0], self._values)  # no instruction, but the kernel is compiled: no turn has seconds for it
        edges = np.cumsum([*rows_in, *rows_out])
        whole = np.split(self._values[:, :cells], edges)
        self.inputs, self.outputs = tuple(whole[: len(rows_in)]), tuple(whole[len(rows_in) : -1])

    def __call__(self) -> tuple[Floats, ...]:
        """Evaluate at the present `inputs`; return `outputs`, which the next call overwrites."""
        execute(self._code, self._values)
        return self.outputs


class _Registers:
    """Rows of `values[place, cells]`: inputs, outputs, constants, and intermediate results, which are reused."""

    def __init__(self, rows_in: list[int], rows_out: list[int]) -> None:
        self.first_in: list[int] = np.cumsum([0, *rows_in]).tolist()
        self.first_out: list[int] = np.cumsum([self.first_in[-1], *rows_out]).tolist()
        self.count = self.first_out[-1]
        self.constants: dict[float, int] = {}
        self._temporary: set[int] = set()
        self._free: list[int] = []

    def constant(self, value: float) -> int:
        """Return the row of this constant; allocate it when it is new."""
        if value not in self.constants:
            self.constants[value] = self._new_row()
        return self.constants[value]

    def allocate(self) -> int:
        """Return a row for a result."""
        place = self._free.pop() if self._free else self._new_row()
        self._temporary.add(place)
        return place

    def release(self, place: int | None) -> None:
        """Free the row if it holds an intermediate result."""
        if place in self._temporary:
            self._temporary.discard(place)
            self._free.append(place)

    def _new_row(self) -> int:
        self.count += 1
        return self.count - 1


def _compile(function: Function, places: _Registers) -> list[tuple[int, int, int, int]]:
    """Return for each instruction the operation and the rows of both operands and of the result.

    The row of a result is never that of an operand, as it may be in CasADi: a loop from one row into itself is not
    vectorised.
    """
    code: list[tuple[int, int, int, int]] = []
    held: dict[int, int] = {}  # from the work index of CasADi to our row
    for k in range(function.n_instructions()):
        operation, operands = function.instruction_id(k), function.instruction_input(k)
        result, *row = function.instruction_output(k)
        before = None if operation == OUTPUT else held.get(result)
        if operation == INPUT:
            held[result] = places.first_in[operands[0]] + operands[1]
        elif operation == CONSTANT:
            held[result] = places.constant(function.instruction_constant(k))
        elif operation == OUTPUT:
            code.append((MAXIMUM, held[operands[0]], held[operands[0]], places.first_out[result] + row[0]))
        elif operation in {NEGATIVE, MAGNITUDE}:
            (ours,) = (held[operand] for operand in operands)
            zero, negative = places.constant(0.0), places.allocate()
            code.append((SUB, zero, ours, negative))
            held[result] = negative
            if operation == MAGNITUDE:
                held[result] = places.allocate()
                code.append((MAXIMUM, ours, negative, held[result]))
                places.release(negative)
        elif operation == COSH:
            held[result] = _add_cosh(code, held[operands[0]], places)
        elif operation in OPERATIONS:
            ours = [held[operand] for operand in operands]
            held[result] = places.allocate()
            code.append((OPERATIONS[operation], ours[0], ours[-1], held[result]))
        else:
            raise ValueError(f"{function.name()}: instruction {k} is not one of {_NAMES}")
        places.release(before)
    return code


def _add_cosh(code: list[tuple[int, int, int, int]], argument: int, places: _Registers) -> int:
    """Add the instructions of a hyperbolic cosine, (exp x + 1 / exp x) / 2; return the row of the result."""
    grown, shrunk, both, result = (places.allocate() for _ in range(4))
    half = places.constant(0.5)
    code += [(EXP, argument, argument, grown), (INVERSE, grown, grown, shrunk)]
    code += [(ADD, grown, shrunk, both), (MUL, both, half, result)]
    for place in (grown, shrunk, both):
        places.release(place)
    return result


@kernel
def execute(code: Code, values: Floats) -> None:  # noqa: C901, PLR0912  # one branch an operation
    """Execute the instructions `code[k, 4]` on `values[place, cells]`."""
    cells = range(values.shape[1])
    for k in range(len(code)):
        operation, left, right, place = code[k, OPERATION], code[k, LEFT], code[k, RIGHT], code[k, RESULT]
        if operation == MUL:
            for n in cells:
                values[place, n] = values[left, n] * values[right, n]
        elif operation == ADD:
            for n in cells:
                values[place, n] = values[left, n] + values[right, n]
        elif operation == DIV:
            for n in cells:
                values[place, n] = values[left, n] / values[right, n]
        elif operation == SUB:
            for n in cells:
                values[place, n] = values[left, n] - values[right, n]
        elif operation == LESS_EQUAL:
            for n in cells:
                values[place, n] = 1.0 if values[left, n] <= values[right, n] else 0.0
        elif operation == MAXIMUM:
            for n in cells:
                first, second = values[left, n], values[right, n]
                values[place, n] = second if np.isnan(first) or second > first else first
        elif operation == MINIMUM:
            for n in cells:
                first, second = values[left, n], values[right, n]
                values[place, n] = second if np.isnan(first) or second < first else first
        elif operation == HYPOT:
            for n in cells:
                values[place, n] = np.sqrt(values[left, n] * values[left, n] + values[right, n] * values[right, n])
        elif operation == SIGN:  # that of no number is no number
            for n in cells:
                number = values[left, n]
                values[place, n] = 1.0 if number > 0.0 else (-1.0 if number < 0.0 else number)
        else:
            for n in cells:
                values[place, n] = apply_rare_operation(operation, values[left, n], values[right, n])


@kernel
def apply_rare_operation(operation: int, left: float, right: float) -> float:  # noqa: PLR0911  # one an operation
    """Apply an operation that is rare or cannot be vectorised."""
    if operation == SQUARE_ROOT:
        return np.sqrt(left)
    if operation == INVERSE:
        return 1.0 / left
    if operation == LOG:
        return np.log(left)
    if operation == EXP:
        return np.exp(left)
    if operation == TANH:
        return np.tanh(left)
    if operation == ASINH:
        return np.arcsinh(left)
    return left**right
