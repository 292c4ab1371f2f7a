"""Read a path as a checked `Bench`, or raise the error that names the line to correct."""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from drivers.benchfile.checks import mistakes, not_finite
from drivers.benchfile.conversions import conflicts, convert
from drivers.benchfile.document import Document, KeyPath
from drivers.benchfile.model import MODULE, NAME, Bench

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

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
_BOUNDS: Final = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "expected": "one of", "pattern": "pattern"}


def read_bench(path: Path) -> Bench:
    """Read and check a bench file; raise `BenchFileError`, with the other mistakes as its notes."""
    bench = _bench(Document.read(path), files=True)
    for lane in bench.lane:
        if "file" in lane.settings:
            lane.settings["file"] = str((path.parent / lane.settings["file"]).resolve())
    return bench


def read_recorded_bench(name: str, text: str) -> Bench:
    """Read the bench file `name` that a run contains: only `text`, without the files that it names.

    Raise `BenchFileError`.
    """
    return _bench(Document.parse(Path(name), text), files=False)


def _bench(document: Document, *, files: bool) -> Bench:
    """Return the checked bench of `document`; `files`: whether the files that it names must exist."""
    _raise_first(not_finite(document, document.values))
    _raise_first(conflicts(document))
    values, notes = convert(document)
    bench = validate(document, Bench, values)
    bench._document, bench._notes = document, notes  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # the reader completes it
    _raise_first(mistakes(bench, files=files))
    return bench


def validate(document: Document, model: type[Model], values: dict[str, Any] | None = None) -> Model:
    """Return the document's values (or `values`) as `model`; raise `BenchFileError`. For all declarations in TOML."""
    try:
        return model.model_validate(document.values if values is None else values)
    except ValidationError as error:
        details = error.errors(include_url=False)[:MAX_MISTAKES]
        _raise_first(_describe_error(document, model, detail) for detail in details)
        raise


def _raise_first(found: Iterable[BenchFileError]) -> None:
    """Raise the first mistake in the file; the others become its notes."""
    first, *others = [*sorted(found, key=lambda mistake: mistake.line or 0), None]
    if first is not None:
        for other in others[:-1]:
            first.add_note(str(other))
        raise first


def _describe_error(document: Document, model: type[BaseModel], detail: ErrorDetails) -> BenchFileError:
    at: KeyPath = tuple(step for step in detail["loc"] if step != "[key]")
    context = detail.get("ctx", {})
    bound = next((f"{_BOUNDS[name]} {value}" for name, value in context.items() if name in _BOUNDS), None)
    if detail["type"] == "missing":
        return document.mistake(at, "is missing", bound="required", hint=f"add {at[-1]}")
    if detail["type"] == "extra_forbidden":
        known = _fields(model, at[:-1])
        near = get_close_matches(str(at[-1]), known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
        return document.mistake(at, "is not known", value=detail["input"], bound="a known key", hint=hint)
    expected = _describe_expected(detail)
    value = json.loads(json.dumps(detail["input"], default=str))  # JSON has no type for a TOML date
    shown = "..." if isinstance(value, (dict, list)) else json.dumps(value, ensure_ascii=False)
    return document.mistake(at, f"= {shown} {expected}", value=value, bound=bound or expected, hint="correct the value")


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
    return list(inner.model_fields)


def _model_in(annotation: Any) -> Any:
    """Return the model inside `Limit`, `tuple[Limit, ...]` or `Limit | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((inner for part in get_args(annotation) if (inner := _model_in(part)) is not None), None)
