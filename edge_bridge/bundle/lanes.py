"""The lanes of a bench file and the parameters of the active estimator: the member `lanes.json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drivers.benchfile import Bench


def describe_lanes(bench: Bench, parameters: str | None) -> dict[str, Any]:
    """Describe every lane as the bench file has it: paths are relative. `parameters`: a member, None for none."""
    raw: list[dict[str, Any]] = bench.document.values["lane"]
    rows = [
        {
            "role": lane.role,
            "name": lane.name,
            "module": lane.module,
            "active": lane.active,
            "settings": json.loads(json.dumps(written.get("settings", {}), default=str)),  # JSON has no dates
        }
        for lane, written in zip(bench.lane, raw, strict=True)
    ]
    return {"lanes": rows, "parameters": parameters}
