"""The sections of a bench file that name other files, each one usable although another section has a mistake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from pydantic import BaseModel, ValidationError

from drivers.benchfile.conversions import NO_CELL_AH, convert, fill_capacity
from drivers.benchfile.document import Document
from drivers.benchfile.model import DeviceLimits, DutSection, LaneSection, Pack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drivers.benchfile.model import Bench

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class NamedParts:
    """`lanes` by their place in the file; a section with a mistake of its own is None or absent."""

    document: Document
    pack: Pack | None
    dut: DutSection | None
    device_limits: DeviceLimits | None
    lanes: Mapping[int, LaneSection]

    @classmethod
    def of(cls, bench: Bench) -> Self:
        """Return the sections of a bench without mistakes."""
        return cls(bench.document, bench.pack, bench.dut, bench.device_limits, dict(enumerate(bench.lane)))

    @classmethod
    def salvage(cls, path: Path) -> Self:
        """Return the sections of a file that has mistakes; raise `BenchFileError` for one that is not TOML."""
        document = Document.read(path)
        values, _ = convert(document)
        lanes = values.get("lane")
        tables = cast("list[Any]", lanes) if isinstance(lanes, list) else []
        found = {number: _read(LaneSection, table) for number, table in enumerate(tables)}
        return cls(
            document,
            _read(Pack, fill_capacity(values, NO_CELL_AH).get("pack")),
            _read(DutSection, values.get("dut")),
            _read(DeviceLimits, values.get("device_limits")),
            {number: lane for number, lane in found.items() if lane is not None},
        )


def _read(model: type[Model], values: Any) -> Model | None:
    try:
        return model.model_validate(values)
    except ValidationError:
        return None
