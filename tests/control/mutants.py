"""Small wrongs, one at a time: a mutator over the syntax tree of one module."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
REVERSED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt}
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
EXTREMES = {"min": "max", "max": "min"}


@dataclass(frozen=True)
class Mutant:
    """`what` happened in `line`, the source it happened in."""

    line: str
    what: str
    tree: ast.Module

    def module(self, name: str) -> ModuleType:
        """The mutant, imported."""
        mutant = ModuleType(name)
        exec(compile(self.tree, f"<{self.what}>", "exec"), mutant.__dict__)  # noqa: S102  # our own source, mutated
        return mutant


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of the function bodies of `source`, each with one change."""
    lines = source.splitlines()
    tree = ast.parse(source)
    for path in _nodes(tree):
        for what, changed in _changes(_at(tree, path)):
            copied = copy.deepcopy(tree)
            _put(copied, path, changed)
            ast.fix_missing_locations(copied)
            number = getattr(_at(tree, path), "lineno", 1)
            yield Mutant(lines[number - 1].strip(), what, copied)


Path = tuple[tuple[str, int | None], ...]


def _nodes(tree: ast.Module) -> Iterator[Path]:
    """Where the nodes inside functions are, docstrings and annotations left out."""

    def walk(node: ast.AST, path: Path, inside: bool) -> Iterator[Path]:  # noqa: FBT001  # a walk of its own
        if inside:
            yield path
        for name, value in ast.iter_fields(node):
            if name in {"annotation", "returns", "decorator_list", "args"} and isinstance(node, _SIGNED):
                continue
            for index, child in _children(value):
                if isinstance(child, ast.AST) and not _docstring(child):
                    deeper = inside or isinstance(node, ast.FunctionDef)
                    yield from walk(child, (*path, (name, index)), deeper)

    yield from walk(tree, (), inside=False)


def _children(value: object) -> list[tuple[int | None, object]]:
    if isinstance(value, list):
        return list(enumerate(cast("list[object]", value)))
    return [(None, value)]


_SIGNED = (ast.FunctionDef, ast.AnnAssign, ast.ClassDef, ast.arg)


def _docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _at(tree: ast.AST, path: Path) -> ast.AST:
    node: ast.AST = tree
    for name, index in path:
        value = getattr(node, name)
        node = value if index is None else value[index]
    return node


def _put(tree: ast.AST, path: Path, new: ast.AST) -> None:
    parent, (name, index) = _at(tree, path[:-1]), path[-1]
    if index is None:
        setattr(parent, name, new)
    else:
        getattr(parent, name)[index] = new


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    new = copy.deepcopy(node)
    match new:
        case ast.Compare():
            yield from _comparisons(new)
        case ast.BinOp(op=op) if type(op) in COMPUTED:
            new.op = COMPUTED[type(op)]()
            yield f"{type(op).__name__} -> {type(new.op).__name__}", new
        case ast.BoolOp(op=op):
            new.op = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"{type(op).__name__} -> {type(new.op).__name__}", new
        case ast.UnaryOp(op=op):
            yield f"{type(op).__name__} dropped", new.operand
        case ast.If() | ast.IfExp():
            new.test = ast.UnaryOp(ast.Not(), new.test)
            yield "condition negated", new
        case ast.Constant() | ast.Call():
            yield from _leaves(new)
        case ast.Assign() | ast.AugAssign() | ast.Expr():
            yield "statement dropped", ast.Pass()
        case _:
            return


def _leaves(node: ast.Constant | ast.Call) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Constant(value=bool(value)):
            yield f"{value} -> {not value}", ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield f"{value} + 1", ast.Constant(value + 1)
            yield f"{value} - 1", ast.Constant(value - 1)
        case ast.Call(func=ast.Name(id=name)) if name in EXTREMES:
            node.func = ast.Name(EXTREMES[name], ast.Load())
            yield f"{name} -> {EXTREMES[name]}", node
        case ast.Call(func=ast.Attribute(attr=attr, value=value), args=[]) if attr in {"copy", "all", "strip"}:
            yield f".{attr}() dropped", value
        case _:
            return


def _comparisons(node: ast.Compare) -> Iterator[tuple[str, ast.AST]]:
    for n, op in enumerate(node.ops):
        for table in (COMPARED, REVERSED):
            if type(op) in table:
                changed = copy.deepcopy(node)
                changed.ops[n] = table[type(op)]()
                yield f"{type(op).__name__} -> {type(changed.ops[n]).__name__}", changed
