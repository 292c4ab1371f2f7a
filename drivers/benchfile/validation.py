"""Checks of a TOML file against a pydantic model: a mistake becomes an error that names the line to correct."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from drivers.benchfile.model import MODULE, NAME
from drivers.benchfile.toml_errors import DECIMAL_COMMA, has_decimal_commas
from drivers.mistakes import Mistakes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic_core import ErrorDetails

    from drivers.benchfile.document import Document, KeyPath
    from drivers.errors import BenchFileError

Model = TypeVar("Model", bound=BaseModel)

MAX_MISTAKES: Final = 100  # that are described: nobody reads more
_SHOULD: Final = {  # pydantic's error type -> the expected value
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text in quotes",
    "string_too_short": "text that is not empty",
    "tuple_type": "an array",
    "dict_type": "a table",
    "model_type": "a table",
}
_PATTERNS: Final = {
    NAME: "a name in one line, without a slash, and without a space at either end",
    MODULE: "a module by its dotted name",
}
RESEMBLES: Final = 0.85  # the least likeness of a misspelt key; undertemperature is no misspelt overtemperature
_BOUNDS: Final = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "expected": "one of", "pattern": "pattern"}


def validate(document: Document, model: type[Model], values: dict[str, Any] | None = None) -> Model:
    """Return the document's values (or `values`) as `model`; raise `BenchFileError`. For all declarations in TOML."""
    try:
        return model.model_validate(document.values if values is None else values)
    except ValidationError as error:
        details = error.errors(include_url=False)[:MAX_MISTAKES]
        raise_first(_describe_error(document, model, detail) for detail in details)
        raise


def raise_first(found: Iterable[BenchFileError]) -> None:
    """Raise the first mistake in the file; the others go with it."""
    mistakes = Mistakes()
    mistakes.add(*sorted(found, key=lambda mistake: mistake.line or 0))
    mistakes.raise_all()


def _describe_error(document: Document, model: type[BaseModel], detail: ErrorDetails) -> BenchFileError:
    at: KeyPath = tuple(step for step in detail["loc"] if step != "[key]")
    context = detail.get("ctx", {})
    bound = next((f"{_BOUNDS[name]} {value}" for name, value in context.items() if name in _BOUNDS), None)
    if detail["type"] == "missing" and isinstance(at[-1], str):
        return _missing(document, model, at)
    if detail["type"] == "missing":
        return document.mistake(at, "is missing", bound="required", hint="add a value")
    if detail["type"] == "extra_forbidden":
        known = _fields(model, at[:-1])
        return document.mistake(
            at, "is not known", value=detail["input"], bound="a known key", hint=suggest(at[-1], known)
        )
    expected = _describe_expected(detail)
    value = json.loads(json.dumps(detail["input"], default=str))  # JSON has no type for a TOML date
    shown = "..." if isinstance(value, (dict, list)) else json.dumps(value, ensure_ascii=False)
    comma = detail["type"] == "too_long" and has_decimal_commas(document.written(at))
    hint = DECIMAL_COMMA if comma else "correct the value"
    return document.mistake(at, f"= {shown} {expected}", value=value, bound=bound or expected, hint=hint)


def suggest(wrong: object, known: Iterable[str], what: str = "known keys") -> str:
    """Return the hint for a name that is not known: the nearest known one, or all of them."""
    names = tuple(known)
    near = get_close_matches(str(wrong), names, 1)
    return f"did you mean {near[0]}?" if near else f"{what}: {', '.join(names)}"


def find_misspelt(document: Document, model: type[BaseModel], at: KeyPath = ()) -> Iterator[BenchFileError]:
    """Yield an error for each unknown key that resembles a known one that is absent, in tables that ignore others."""
    table, known = document.table(at), _fields(model, at)
    absent = [key for key in known if key not in table]
    for key in table:
        if key in known:
            if isinstance(table[key], dict):
                yield from find_misspelt(document, model, (*at, key))
        elif near := get_close_matches(key, absent, 1, RESEMBLES):
            what, hint = "is not known", f"did you mean {near[0]}?"
            yield document.mistake((*at, key), what, value=key, bound="a known key", hint=hint)


def _missing(document: Document, model: type[BaseModel], at: KeyPath) -> BenchFileError:
    """Return the error for a key that is missing; an unknown key beside it may be the same one, misspelt."""
    known = _fields(model, at[:-1])
    odd = [key for key in document.table(at[:-1]) if key not in known]
    near = get_close_matches(str(at[-1]), odd, 1)
    hint = f"add {at[-1]}" + (f", or correct {near[0]} in line {document.line((*at[:-1], near[0]))}" if near else "")
    return document.mistake(at, "is missing", bound="required", hint=hint)


def _describe_expected(detail: ErrorDetails) -> str:
    """Return what the value should be, in TOML terms."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "string_pattern_mismatch" and context["pattern"] in _PATTERNS:
        return f"should be {_PATTERNS[context['pattern']]}"
    if kind in _SHOULD:
        return f"should be {_SHOULD[kind]}"
    text = detail["msg"]
    text = text[max(text.find("should"), 0) :]  # behind "Input", "String" and the like
    return text.replace("greater than or equal to", "at least").replace("less than or equal to", "at most")


def _fields(model: type[BaseModel], at: KeyPath) -> list[str]:
    """Return the keys that the table at `at` may have."""
    inner: Any = model
    for step in at:
        if isinstance(step, str):
            inner = _model_in(inner.model_fields[step].annotation)
    return [field.alias or name for name, field in inner.model_fields.items()]


def _model_in(annotation: Any) -> Any:
    """Return the model inside `Limit`, `tuple[Limit, ...]` or `Limit | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((inner for part in get_args(annotation) if (inner := _model_in(part)) is not None), None)
