"""The manifest of a backup file: what it contains, and what it needs to be restored."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SCHEMA: Final = "pulsebms.fleet.backup/1"
MAX_BYTES: Final = 65_536  # of a manifest


class BackupManifest(BaseModel):
    """What a backup contains; `server` and `dumped_by` are major versions of PostgreSQL."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    file_schema: Literal["pulsebms.fleet.backup/1"] = Field(default=SCHEMA, alias="schema")
    program: str = Field(max_length=40)
    database: Literal["sqlite", "postgresql"]
    version: int = Field(ge=1)  # of the tables
    time: str = Field(max_length=40)  # UTC, when the backup began
    rows: int = Field(ge=0)
    size: int = Field(ge=0)  # of the content, in bytes
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")  # of the content
    tables: str = Field(default="", max_length=100)  # the schema that the tables lie in, on a server
    server: int = Field(default=0, ge=0)
    dumped_by: int = Field(default=0, ge=0)
    archive: Literal["not included"] = "not included"  # the Parquet files of older rows: copy their folder

    def encode(self) -> bytes:
        return self.model_dump_json(by_alias=True, indent=2).encode()


def parse_manifest(data: bytes) -> BackupManifest | None:
    """Parse a manifest; return None for one that is damaged or of an unknown format."""
    try:
        return BackupManifest.model_validate_json(data)
    except ValidationError:
        return None
