"""What is asked of a twin, and what a job answers."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Final

from pydantic import BaseModel, Field, model_validator

from edge_bridge.fleet.api.fields import MAX_MS, Ms
from edge_bridge.fleet.api.problems import MAX_WORDS, ProblemBody
from edge_bridge.fleet.twins.twin_job import JobState
from edge_bridge.fleet.twins.twin_order import MAX_HOURS, MAX_PROFILE, TwinKind

Hours = Annotated[int, Field(ge=1, le=MAX_HOURS)]
Sentence = Annotated[str, Field(max_length=MAX_WORDS)]
UntilMs = Annotated[int, Field(gt=0, le=MAX_MS)]
MAX_A: Final = 1e5
MAX_TIME_S: Final = 86_400.0 * 31


class EstimatesRequest(BaseModel, extra="forbid"):
    """A past span of a device: `hours` up to `to_ms`."""

    hours: Hours = MAX_HOURS
    to_ms: UntilMs | None = Field(default=None, description="Does not belong to it; null: behind the newest row.")


class DutyProfile(BaseModel, extra="forbid"):
    """A duty: each current from its time to the next; the last time ends it, then it begins again."""

    time_s: list[Annotated[float, Field(ge=0.0, le=MAX_TIME_S)]] = Field(min_length=2, max_length=MAX_PROFILE)
    current_a: list[Annotated[float, Field(ge=-MAX_A, le=MAX_A)]] = Field(
        min_length=2, max_length=MAX_PROFILE, description="Of the pack; positive in discharge."
    )

    @model_validator(mode="after")
    def check_columns(self) -> DutyProfile:
        if len(self.time_s) != len(self.current_a):
            words = "time_s and current_a have the same length"
            raise ValueError(words)
        if any(after <= before for before, after in pairwise(self.time_s)):
            words = "time_s rises"
            raise ValueError(words)
        return self


class ForecastRequest(BaseModel, extra="forbid"):
    """A forecast of a device over the next hours, from the newest state that it told."""

    hours: Hours = MAX_HOURS
    duty: DutyProfile | None = Field(default=None, description="Null: the current of as many hours before.")
    quick: bool = Field(default=False, description="The circuit alone: seconds instead of a minute, a narrower band.")


Numbers = list[float | None]


class ToldBody(BaseModel):
    """What the device told with its rows."""

    soc: Numbers
    soc_std: Numbers
    soh: Numbers
    soh_std: Numbers


class ComputedBody(BaseModel):
    """What the estimator of its bundle gives for the same rows, as if all cells were alike."""

    soc: Numbers
    soc_std: Numbers


class EstimatesResult(BaseModel):
    """Estimates at `t_ms`; null where nothing is known. A standard deviation stands beside each value."""

    node: str
    from_ms: Ms
    to_ms: Ms
    t_ms: list[Ms]
    told: ToldBody
    computed: ComputedBody | None = Field(description="Null where the estimator cannot run; `trouble` says why.")
    trouble: Sentence
    bundle: str = Field(description="SHA-256 of the bundle that the device says it runs.")
    estimator: Sentence
    rows: int = Field(ge=0, description="Rows, or means of rows, with a state of charge.")
    step_ms: int = Field(ge=1, description="Length of the means that the estimator got.")
    assumed: list[Sentence]


class BandBody(BaseModel):
    """A forecast and its band at each time."""

    low: list[float]
    mean: list[float]
    high: list[float]


class StartBody(BaseModel):
    """The state at the start of a forecast, as the device told it."""

    soc: float
    soc_std: float
    soh: float | None
    soh_std: float | None
    ambient_k: float


class ForecastResult(BaseModel):
    """A forecast at `t_ms`; it ends early where the pack would leave the cell's limits."""

    node: str
    start_ms: Ms
    hours: int
    t_ms: list[Ms]
    current_a: list[float]
    soc: BandBody
    cell_voltage_v: BandBody
    pack_voltage_v: BandBody
    temperature_k: BandBody
    energy_wh: BandBody
    ended: list[Sentence] = Field(description="Why it ends early, empty if it does not.")
    start: StartBody
    models: list[Sentence] = Field(description="The first is the forecast; how far the second differs is in the band.")
    bundle: str
    duty: str = Field(description="`rows`: of the past hours; `given`: of the request.")
    duty_known: float = Field(ge=0, le=1, description="The part of the duty that rows tell.")
    assumed: list[Sentence]


class JobBody(BaseModel):
    """A job; it is forgotten an hour after its end, and when the fleet host starts again."""

    id: str
    kind: TwinKind
    node: str
    state: JobState
    progress: float = Field(ge=0, le=1)
    by: str
    made_ms: Ms
    ended_ms: Ms | None
    estimates: EstimatesResult | None
    forecast: ForecastResult | None
    problem: ProblemBody | None = Field(description="Why it failed.")
