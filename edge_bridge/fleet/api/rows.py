"""The rows of a device: the newest, the stored ones page by page, and its past down-sampled."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, Field

from edge_bridge.fleet.api.context import ApiContext, Context
from edge_bridge.fleet.api.cursors import make_cursor, read_cursor
from edge_bridge.fleet.api.fields import MAX_MS, Cursor, Limit, Ms, NodePath
from edge_bridge.fleet.api.problems import ProblemRaised, make_not_found
from edge_bridge.fleet.columns import COLUMN_NAMES
from edge_bridge.fleet.store.history import NUMERIC
from edge_bridge.metrics import Scalar

if TYPE_CHECKING:
    from numpy.typing import NDArray

router = APIRouter(prefix="/devices/{node}", tags=["rows"])
MAX_POINTS: Final = 5_000
MAX_COLUMNS: Final = 16


def _check_column(name: str) -> str:
    if name not in NUMERIC:
        words = f"{name[:40]} is not a column of numbers"
        raise ValueError(words)
    return name


NumberColumn = Annotated[str, AfterValidator(_check_column), Field(json_schema_extra={"enum": list(NUMERIC)})]
FromMs = Annotated[int, Query(ge=0, lt=MAX_MS, description="Begin, ms since 1970 (UTC).")]
ToMs = Annotated[int, Query(gt=0, le=MAX_MS, description="End, which does not belong to it, ms since 1970 (UTC).")]


class RowBody(BaseModel):
    """One stored row. `clock` is `future` or `past` for an impossible time."""

    boot: str = Field(max_length=32)
    seq: int = Field(ge=1)
    t_ms: Ms
    historical: bool = Field(description="It was sent later than it was measured.")
    clock: str = Field(max_length=10)
    values: dict[str, Scalar] = Field(description=f"By column, in SI units: {', '.join(COLUMN_NAMES)}.")


class RowPage(BaseModel):
    """Rows, boot by boot and by number."""

    rows: list[RowBody]
    next: str | None


class SeriesBody(BaseModel):
    """One column; null where there is no value."""

    low: list[float | None]
    mean: list[float | None]
    high: list[float | None]
    count: list[int]


class HistoryBody(BaseModel):
    """Minimum, mean and maximum of the rows in buckets that begin at `t_ms`. A gap is one bucket without values."""

    step_ms: int = Field(ge=1)
    t_ms: list[Ms]
    columns: dict[str, SeriesBody]


@router.get("/latest", summary="Read the newest row")
def read_latest(context: Context, node: NodePath) -> RowBody:
    """Read the row with the highest number of the boot that has the newest time."""
    row = context.reader.read_newest_row(node)
    if row is None:
        raise make_not_found(f"a row of {node}")
    return _make_row(row)


@router.get("/rows", summary="Read rows as they are stored")
def list_rows(
    context: Context, node: NodePath, from_ms: FromMs, to_ms: ToMs, limit: Limit = 100, *, cursor: Cursor = None
) -> RowPage:
    """Read rows whose time lies in a span, boot by boot, then by number."""
    check_span(from_ms, to_ms)
    require_device(context, node)
    after = tuple(read_cursor(cursor, "rows", str, int)) if cursor else None
    found = context.reader.read_rows(node, (from_ms, to_ms), after, limit + 1)
    page = found[:limit]
    follows = make_cursor("rows", page[-1].boot, page[-1].seq) if len(found) > limit else None
    return RowPage(rows=[_make_row(row) for row in page], next=follows)


@router.get("/history", summary="Read the past, down-sampled")
def read_history(
    context: Context,
    node: NodePath,
    from_ms: FromMs,
    to_ms: ToMs,
    columns: Annotated[list[NumberColumn], Query(min_length=1, max_length=MAX_COLUMNS)],
    *,
    points: Annotated[int, Query(ge=1, le=MAX_POINTS, description="Most buckets of the answer.")] = 500,
) -> HistoryBody:
    """Read columns of numbers between two times."""
    check_span(from_ms, to_ms)
    require_device(context, node)
    names = list(dict.fromkeys(columns))
    found = context.history.read(node, names, from_ms, to_ms, points)
    series = {
        name: SeriesBody.model_construct(
            low=_make_numbers(column.low),
            mean=_make_numbers(column.mean),
            high=_make_numbers(column.high),
            count=column.count.tolist(),
        )
        for name, column in found.columns.items()
    }
    return HistoryBody.model_construct(step_ms=found.step_ms, t_ms=found.t_ms.tolist(), columns=series)


def check_span(from_ms: int, to_ms: int) -> None:
    """Answer 422 for a span that ends before it begins."""
    if from_ms >= to_ms:
        raise ProblemRaised(HTTPStatus.UNPROCESSABLE_ENTITY, "span", "to_ms is not after from_ms")


def require_device(context: ApiContext, node: str) -> None:
    """Answer 404 for a device that the fleet does not know."""
    if node not in context.directory.read().devices:
        raise make_not_found(f"a device {node}")


def _make_row(row: Any) -> RowBody:
    names = ("boot", "seq", "t_ms", "historical", "clock")
    values = {name: getattr(row, name) for name in COLUMN_NAMES}
    return RowBody(**{name: getattr(row, name) for name in names}, values=values)


def _make_numbers(column: NDArray[Any]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in column.tolist()]
