"""SoC on unseen drives in the unit of the published figures: the mean absolute error, from -10 to 25 degC.

No run is filtered for it: the runs are those of the rows of RMSE (`workbench/measure/soc_scores.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.measure.metric import MeasuredMetric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.measure.fitted_cells import SocScore
    from workbench.measure.metric import MeasureRow

LSTM: Final = "LSTM, other splits, 1.3 to 2.2 % MAE (Vidal and Kollmeyer 2020)"
SENSOR_ERRORS: Final = "about 1 %, other splits, with sensor errors"
BEST: Final = 1.3  # %, of the published range
DEGC: Final = (25, 10, 0, -10)
_SPAN: Final = "-10 to 25 degC"
_LANES: Final = ("ekf", "ckf")


def _mean(lane: str, where: str) -> MeasuredMetric:
    return MeasuredMetric(f"SoC on unseen drives, {lane}, {where}, mean absolute error", "%", "<=", BEST, LSTM)


OF_DEGC: Final = {(lane, degc): _mean(lane, f"{degc} degC") for lane in _LANES for degc in DEGC}
OF_SPAN: Final = {lane: _mean(lane, _SPAN) for lane in _LANES}
OFF: Final = MeasuredMetric(
    f"SoC on unseen drives, ekf, {_SPAN}, current sensor off by 0.05 A, mean RMSE", "%", "<=", 1.0, SENSOR_ERRORS
)
METRICS: Final = (*OF_DEGC.values(), *OF_SPAN.values(), OFF)


def score_published(rested: dict[str, list[SocScore]], off: list[SocScore]) -> Iterator[MeasureRow]:
    """Yield the rows of runs by lane (`rested`) and of the EKF with a current sensor that is off."""
    for lane, scores in rested.items():
        for degc in DEGC:
            yield _average(OF_DEGC[lane, degc], [one for one in scores if one.degc == degc])
        yield _average(OF_SPAN[lane], [one for one in scores if one.degc in DEGC])
    within = [one for one in off if one.degc in DEGC]
    mean = sum(one.rmse for one in within) / len(within)
    worst = max(within, key=lambda one: one.rmse)
    told = f"{len(within)} runs, each counts alike, worst {100.0 * worst.rmse:.2f} % ({worst.name}); after 600 s"
    yield OFF.make_row(100.0 * mean, None, told)


def _average(metric: MeasuredMetric, scores: list[SocScore]) -> MeasureRow:
    """Return the mean over the runs, beside that of each cell and the worst run."""
    cells = {one.cell: [other.mae for other in scores if other.cell == one.cell] for one in scores}
    each = ", ".join(f"{cell.split()[0]} {100.0 * sum(found) / len(found):.2f} %" for cell, found in cells.items())
    worst = max(scores, key=lambda one: one.mae)
    told = f"{len(scores)} runs, each counts alike; {each}; worst {100.0 * worst.mae:.2f} % ({worst.name}); after 600 s"
    return metric.make_row(100.0 * sum(one.mae for one in scores) / len(scores), None, told)
