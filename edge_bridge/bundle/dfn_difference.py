"""How far the fast twin of a run was from the full-order model (DFN) of a chosen cell: the entry `dfn` of evidence."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from drivers.benchfile import Bench
    from edge_bridge.bundle.manifest import Bundle

KEY: Final = "dfn"
MODULE: Final = "twin.dfn"  # of a lane of a bench file
NO_LANE: Final = "the bench file has no lane twin.dfn"
NOT_RECORDED: Final = "DFN difference not measured: a version before built this bundle, which did not record it"


@dataclass(frozen=True, slots=True)
class DfnDifference:
    """The comparison of one DFN lane with the twin that was active in the same sample, `against`, over a run.

    `cells`: numbers from 1; `rms_mv`: root mean square over the samples while running, None with a `reason`;
    `coverage`: the share of them that both knew, 0 to 1. `after_s`: for how long (s) the bench was running when the
    lane gave its first value; the samples are those since then. Without such a lane, `lane` is empty.
    """

    lane: str
    cells: tuple[int, ...]
    against: str
    rms_mv: float | None
    coverage: float
    after_s: float
    reason: str = ""

    @property
    def sentence(self) -> str:
        whose = f"{self.lane}, " if self.lane else ""
        if self.rms_mv is None:
            return f"{whose}not measured: {self.reason}"
        cells = ", ".join(f"cell {number}" for number in self.cells)
        share = f"both known for {100.0 * self.coverage:.1f} % of the samples from {self.after_s:.1f} s on"
        return f"{whose}{cells}: {self.rms_mv:.2f} mV RMS from {self.against}, {share}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"cells": list(self.cells)}


def name_dfn_lanes(bench: Bench) -> tuple[str, ...]:
    """Return the DFN lanes of a bench file."""
    return tuple(lane.name for lane in bench.lane if lane.module == MODULE)


def read_dfn_differences(bundle: Bundle) -> tuple[DfnDifference, ...] | None:
    """Return what the evidence says, None for a bundle of the version before; raise `ValueError`, `TypeError`."""
    if KEY not in bundle.evidence:
        return None
    return tuple(_read_row(row) for row in bundle.evidence[KEY])


def check_dfn_differences(bundle: Bundle, bench: Bench) -> None:
    """Raise `ValueError` if the evidence does not tell of just the DFN lanes of the bench file."""
    rows = read_dfn_differences(bundle)
    if rows is None:
        return
    named, told = list(name_dfn_lanes(bench)) or [""], [row.lane for row in rows]
    if named != told:
        raise ValueError(f"it has the DFN difference of {told}, the bench file has the DFN lanes {named}")


def _read_row(row: Any) -> DfnDifference:
    """Read one entry; raise `ValueError` for a number that no comparison gives."""
    given = cast("dict[str, Any]", row if isinstance(row, dict) else {})
    if given.keys() != DfnDifference.__dataclass_fields__.keys():
        raise ValueError(f"its DFN difference has the fields {', '.join(sorted(given)) or 'of nothing'}")
    rms_mv, coverage, after_s, reason = (given[key] for key in ("rms_mv", "coverage", "after_s", "reason"))
    for key in ("lane", "against", "reason"):
        _require(key, given[key], isinstance(given[key], str))
    _require("coverage", coverage, _is_number(coverage) and 0.0 <= coverage <= 1.0)
    _require("after_s", after_s, _is_number(after_s) and after_s >= 0.0)
    _require("rms_mv", rms_mv, rms_mv is None or (_is_number(rms_mv) and rms_mv >= 0.0))
    _require("reason", reason, bool(reason) == (rms_mv is None))
    return DfnDifference(
        given["lane"], _read_cells(given["cells"]), given["against"], rms_mv, coverage, after_s, reason
    )


def _read_cells(value: Any) -> tuple[int, ...]:
    cells = cast("list[Any]", value if isinstance(value, list) else [0])
    _require("cells", value, all(type(cell) is int and cell > 0 for cell in cells))
    return tuple(cells)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _require(key: str, value: Any, fits: bool) -> None:  # noqa: FBT001  # the caller's check
    if not fits:
        raise ValueError(f"its DFN difference has {key} {str(value)[:60]!r}")
