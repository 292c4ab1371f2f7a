"""The fields that several schemas share, with their bounds. Times are ms since 1970 (UTC) as integers."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Path, Query
from pydantic import Field

from edge_bridge.sparkplug.topics import MAX_NAME

NAME_PATTERN: Final = r"^[A-Za-z0-9._-]+$"
SHA256_PATTERN: Final = r"^[0-9a-f]{64}$"
MAX_MS: Final = 1 << 53  # what every JSON reader holds exactly
MAX_LIMIT: Final = 1_000

Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME, pattern=NAME_PATTERN)]
NodePath = Annotated[
    str, Path(min_length=1, max_length=MAX_NAME, pattern=NAME_PATTERN, description="Name of the device.")
]
NameQuery = Annotated[str | None, Query(min_length=1, max_length=MAX_NAME, pattern=NAME_PATTERN)]
Ms = Annotated[int, Field(description="ms since 1970 (UTC).")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most entries of the answer.")]
Cursor = Annotated[
    str | None, Query(min_length=1, max_length=400, pattern=r"^[A-Za-z0-9_-]+$", description="`next` of the last page.")
]
