"""Expressions of a BPX file: one variable `x`, numbers, `+ - * / **`, and `exp`, `tanh`, `cosh`."""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FUNCTIONS: Final = ("exp", "tanh", "cosh")
VARIABLE: Final = "x"
_BINARY: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda left, right: left / right,
    ast.Pow: lambda left, right: left**right,
}
_UNARY: Final[dict[type[ast.unaryop], Callable[[Any], Any]]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}


def parse_expression(text: str) -> ast.expr:
    """Return the tree of an expression; raise `ValueError` where BPX does not allow a part of it."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, RecursionError):
        raise ValueError("should be a formula of x") from None
    _check(tree)
    return tree


def _check(node: ast.expr) -> None:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return
        case ast.Name(id="x"):
            return
        case ast.UnaryOp(op=op, operand=inner) if type(op) in _UNARY:
            _check(inner)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            _check(left)
            _check(right)
        case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in FUNCTIONS:
            _check(inner)
        case _:
            part = ast.unparse(node)
            raise ValueError(f"should have only x, numbers, + - * / ** and {', '.join(FUNCTIONS)}, not {part[:40]!r}")


def evaluate_expression(tree: ast.expr, x: Any, functions: Mapping[str, Callable[[Any], Any]]) -> Any:
    """Return the value of a tree of `parse_expression` at `x`, a number or whatever has the operators."""
    match tree:
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=op, operand=inner):
            return _UNARY[type(op)](evaluate_expression(inner, x, functions))
        case ast.BinOp(left=left, op=op, right=right):
            sides = (evaluate_expression(side, x, functions) for side in (left, right))
            return _BINARY[type(op)](*sides)
        case ast.Call(func=ast.Name(id=name), args=[inner]):
            return functions[name](evaluate_expression(inner, x, functions))
        case _:
            return x
