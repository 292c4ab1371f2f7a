"""The rows of one node in the archive's Parquet files, down-sampled by DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from drivers.errors import StoreFailed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge_bridge.fleet.store.history_slice import HistoryQuery, Partial

MEMORY: Final = "256MB"
THREADS: Final = 1
_ASK: Final = """
SELECT (t_ms - $from_ms) // $step_ms AS bucket, {columns} FROM read_parquet($files)
WHERE node = $node AND clock = '' AND t_ms >= $from_ms AND t_ms < $to_ms GROUP BY 1"""
_COLUMN: Final = "count({name}), min({name}::DOUBLE), sum({name}::DOUBLE), max({name}::DOUBLE)"


def read_files(query: HistoryQuery, files: Sequence[Path]) -> Partial:
    """Read the rows of files; raise `StoreFailed` if one is missing or cannot be read."""
    import duckdb  # noqa: PLC0415  # only an old day at full resolution needs it

    if not files:
        return []
    for file in files:
        if not file.is_file():
            hint = "restore this file, or ask for points that are a minute apart"
            raise StoreFailed("is missing in the archive", where=str(file), key="archive", hint=hint)
    columns = ", ".join(_COLUMN.format(name=name) for name in query.columns)  # names of `COLUMNS`
    asked = {name: getattr(query, name) for name in ("node", "from_ms", "to_ms", "step_ms")}
    try:
        with duckdb.connect(config={"memory_limit": MEMORY, "threads": THREADS}) as database:
            words: Any = _ASK.format(columns=columns)
            return database.execute(words, asked | {"files": [str(file) for file in files]}).fetchall()
    except duckdb.Error as error:
        words = f"the archive cannot be read: {str(error).partition(chr(10))[0]}"
        raise StoreFailed(words, where=str(files[0].parent), key="archive", hint="restore its files") from error
