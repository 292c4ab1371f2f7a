"""A reference task, from one TOML file: pack, limits, prices and weights of the cost, what varies between episodes."""

from __future__ import annotations

import hashlib
from datetime import date  # noqa: TC003  # pydantic reads the annotations
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from control.tasks.price_fit import FittedPrices
from control.tasks.price_source import PriceMarket, PriceSource
from drivers.benchfile.cell_file import DEFAULT, find_cell
from drivers.benchfile.document import Document
from drivers.benchfile.validation import suggest, validate
from drivers.errors import BenchFileError, Usage
from twin.cell_parameters import ZERO_C_K, CellParameters, load_cell
from twin.plating import NO_LIMIT_V

SCHEMA: Final = "pulsebms.task/1"
FOLDER: Final = Path(__file__).parent / "shipped"

Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Pair = tuple[Number, Number]
NUMBERS: Final = FittedPrices._fields  # of `[prices]`
TABLE_KEYS: Final = {"unit", "column", "begin", "end", "fit_begin", "fit_end"}


class TaskKind(StrEnum):
    """What a controller follows: a current over time, a full charge, or the price of energy."""

    DUTY = "duty"
    CHARGE = "charge"
    ARBITRAGE = "arbitrage"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="after")
    def _pairs_rise(self) -> Self:
        for name, value in self:
            pair = cast("tuple[float, float]", value)
            if isinstance(value, tuple) and not pair[0] <= pair[1]:
                raise ValueError(f"should have {name} = [low, high]")
        return self


class TaskPack(_Section):
    """`cells` in series, each of `parallel` cells of the cell file; `cell`: a shipped one, or a file."""

    cell: str = DEFAULT
    cells: Annotated[int, Field(ge=1, le=24)]
    parallel: Annotated[int, Field(ge=1)]


class TaskLimits(_Section):
    """What the pack must keep. `plating_v`: the least anode potential; both rates are magnitudes."""

    soc: tuple[Fraction, Fraction]
    voltage_v: Pair
    temperature_degc: Pair
    plating_v: Number
    charge_c: Positive
    discharge_c: Positive

    @property
    def high_k(self) -> float:
        return self.temperature_degc[1] + 273.15


class TaskCost(_Section):
    """What one episode costs, in EUR.

    `tracking_eur_a2_h`: an hour of one A^2 of error. `replacement_eur_kwh`: a new pack; it is worn out at `end_of_life`
    (fraction of capacity lost). `efficiency`: of the converter, each way. `violation_eur`: a step with a limit broken.
    """

    tracking_eur_a2_h: Amount = 0.0
    replacement_eur_kwh: Amount = 0.0
    end_of_life: Annotated[float, Field(gt=0.0, le=1.0)] = 0.2
    efficiency: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    hour_eur: Amount = 0.0
    violation_eur: Amount = 0.0


class TaskPrices(_Section):
    """A day-ahead price by the hour: mean, daily shape, level of each day, noise and spikes (EUR/kWh); see `prices`.

    With a `table`, episodes are drawn of its days, and the numbers tell only what is expected of prices that are not
    known yet.
    """

    mean_eur_kwh: Number
    swing_eur_kwh: Amount
    day_eur_kwh: Amount
    noise_eur_kwh: Amount
    spike_eur_kwh: Amount
    spikes_per_day: Amount
    table: str = ""
    unit: str = ""
    column: str = ""
    begin: Annotated[date | None, Field(alias="from")] = None
    end: Annotated[date | None, Field(alias="to")] = None
    fit_begin: Annotated[date | None, Field(alias="fit_from")] = None
    fit_end: Annotated[date | None, Field(alias="fit_to")] = None

    def find_source(self, folder: Path) -> PriceSource | None:
        """Return the source of the table that is named relative to `folder`; None without one."""
        if not self.table:
            return None
        spans = self.begin, self.end, self.fit_begin, self.fit_end
        return PriceSource(folder / self.table, self.unit, self.column, *spans)

    @model_validator(mode="after")
    def _table_is_named(self) -> Self:
        if not self.table and self.model_fields_set & TABLE_KEYS:
            raise ValueError("should have a table with its unit, column or days")
        return self


class TaskRule(_Section):
    """The rule that trades without a plan, see `rules.PriceTrader`; `control.tasks.tune_rules` tunes it.

    It charges while at most `buy` (a share) of the prices of the next `window_h` are lower and the highest is at least
    `spread_eur_kwh` above; it discharges while at most `sell` of them are higher and the lowest is as far below.
    `rate`: of the largest current. `hysteresis`: after a full or an empty pack, SoC must move back by it.
    """

    window_h: Positive = 12.0
    buy: Fraction = 0.25
    sell: Fraction = 0.25
    rate: Fraction = 1.0
    spread_eur_kwh: Amount = 0.05
    hysteresis: Fraction = 0.05


class TaskDuty(_Section):
    """A drawn duty of steps and ramps: `step_s` how long a level lasts, `level_c` how large it is."""

    level_c: Positive
    lasts_s: tuple[Positive, Positive]
    mean_c: Pair = (0.0, 0.0)


class TaskVariation(_Section):
    """What is drawn anew for each episode. Spreads are standard deviations, pairs are uniform ranges."""

    soc: tuple[Fraction, Fraction]
    soc_spread: Amount = 0.0
    capacity: Pair = (1.0, 1.0)
    capacity_spread: Amount = 0.0
    resistance: Pair = (1.0, 1.0)
    resistance_spread: Amount = 0.0
    ambient_degc: Pair = (25.0, 25.0)
    voltage_bias_v: Amount = 0.0
    voltage_noise_v: Amount = 0.0
    current_bias_a: Amount = 0.0
    temperature_bias_k: Amount = 0.0
    soc_error: Amount = 0.0


class ControlTask(_Section):
    """One task; `sha256` is that of its file, and of the cell and the prices in the table that the file names.

    `market`: the table of its prices, of the file or given beside it; None where a generator draws them.
    """

    format: Annotated[Literal["pulsebms.task/1"], Field(alias="schema")]
    name: str
    kind: TaskKind
    step_s: Positive
    steps: Annotated[int, Field(ge=1)]
    substep_s: Positive
    preview: Annotated[int, Field(ge=1)]
    target_soc: Fraction = 1.0
    pack: TaskPack
    limits: TaskLimits
    cost: TaskCost
    varies: TaskVariation
    prices: TaskPrices | None = None
    rule: TaskRule = TaskRule()
    duty: TaskDuty | None = None
    _sha256: str = PrivateAttr(default="")
    _market: PriceMarket | None = PrivateAttr(default=None)
    _cell: CellParameters = PrivateAttr(default_factory=load_cell)

    @property
    def sha256(self) -> str:
        return self._sha256

    @property
    def market(self) -> PriceMarket | None:
        return self._market

    @property
    def cell(self) -> CellParameters:
        return self._cell

    @property
    def rating_a(self) -> float:
        """The pack current that an action of 1 stands for: the larger of both limits."""
        return max(self.charge_a, self.discharge_a)

    @property
    def charge_a(self) -> float:
        return self.limits.charge_c * self.pack_ah

    @property
    def discharge_a(self) -> float:
        return self.limits.discharge_c * self.pack_ah

    @property
    def pack_ah(self) -> float:
        return self.pack.parallel * self.cell.capacity_ah

    @model_validator(mode="after")
    def _needs(self) -> Self:
        if self.kind is TaskKind.ARBITRAGE and self.prices is None:
            raise ValueError("should have a table [prices]")
        if self.kind is TaskKind.DUTY and self.duty is None:
            raise ValueError("should have a table [duty]")
        return self


def read_task(path: Path) -> ControlTask:
    """Read a task file, and the price table that it names; raise `BenchFileError`: line, key, value and bound."""
    document = Document.read(path)
    task = validate(document, ControlTask, _fill_fitted(document))
    content = document.text.encode()
    if task.prices is not None and (source := task.prices.find_source(path.parent)) is not None:
        if mistake := source.find_mistake():
            raise document.mistake(("prices",), f"cannot be used: {mistake}", hint="correct the dates")
        market = source.read(task.steps + task.preview, task.step_s)
        task, content = _place_market(task, market), content + market.table.sha256.encode()
    if "cell" in task.pack.model_fields_set:
        task = _place_cell(task, _load_cell(document, task.pack.cell, path.parent))
        content += task.cell.sha256.encode()
    task._sha256 = hashlib.sha256(content).hexdigest()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # the reader completes it
    _require_cell(document, task)
    return task


def replace_cell(task: ControlTask, cell: CellParameters) -> ControlTask:
    """Return the task on another cell; its limits become those that a controller of that cell keeps."""
    if cell.sha256 == task.cell.sha256:
        return task
    limits = {
        "voltage_v": cell.control_v,
        "temperature_degc": (cell.limits.low_k - ZERO_C_K, cell.control_high_k - ZERO_C_K),
        "charge_c": min(task.limits.charge_c, cell.limits.charge_c),
        "discharge_c": min(task.limits.discharge_c, cell.limits.discharge_c),
    }
    if not cell.knows_plating:
        limits["plating_v"] = NO_LIMIT_V
    return _place_cell(task.model_copy(update={"limits": task.limits.model_copy(update=limits)}), cell)


def replace_prices(task: ControlTask, source: PriceSource) -> ControlTask:
    """Return the task on the prices of a table; raise `BenchFileError`, or `Usage` for a task without prices.

    It stays the same task: its `sha256`, by which policies know it, does not change.
    """
    if task.prices is None:
        hint = "leave the prices out, or name a task of kind arbitrage"
        raise Usage(f"the task {task.name} has no prices", value=task.name, hint=hint)
    return _place_market(task, source.read(task.steps + task.preview, task.step_s))


def _load_cell(document: Document, name: str, folder: Path) -> CellParameters:
    try:
        return load_cell(find_cell(name, folder))
    except BenchFileError as error:
        what = str(error) if error.where is None else f"cannot be used: {error}"
        raise document.mistake(("pack", "cell"), what, value=name, hint=error.hint) from error


def _place_cell(task: ControlTask, cell: CellParameters) -> ControlTask:
    copy = task.model_copy()
    copy._cell = cell  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # an attribute of the copy
    return copy


def _place_market(task: ControlTask, market: PriceMarket) -> ControlTask:
    fitted = {} if market.fitted is None or task.prices is None else market.fitted._asdict()
    prices = None if task.prices is None else task.prices.model_copy(update=fitted)
    copy = task.model_copy(update={"prices": prices})
    copy._market = market  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # an attribute of the copy
    return copy


def _fill_fitted(document: Document) -> dict[str, Any]:
    """Return the values, with places for the numbers of `[prices]` that are fitted later."""
    prices = document.table(("prices",))
    if not {"table", "fit_from"} <= prices.keys():
        return document.values
    for number in NUMBERS:
        if number in prices:
            what = "is fitted to the table from fit_from on"
            raise document.mistake(("prices", number), what, value=prices[number], hint="leave one of them out")
    return {**document.values, "prices": {**dict.fromkeys(NUMBERS, 0.0), **prices}}


def find_task(name: str) -> Path:
    """Return the file of a shipped task, or `name` as a path; raise `Usage`, which lists the shipped ones."""
    shipped = list_tasks()
    if name in shipped:
        return FOLDER / f"{name}.toml"
    if (path := Path(name)).is_file():
        return path
    raise Usage(f"there is no task {name!r}", value=name, hint=suggest(name, shipped, "tasks"))


def list_tasks() -> list[str]:
    """Return the names of the shipped tasks."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def _require_cell(document: Document, task: ControlTask) -> None:
    """Raise `BenchFileError` for a limit that the cell itself does not bear, or of which nobody knows where it lies."""
    bears, asks = task.cell.limits, task.limits
    if asks.plating_v > NO_LIMIT_V and not task.cell.knows_plating:
        what = f"= {asks.plating_v:g} asks for the anode's potential, which the cell {task.cell.name} does not say"
        hint = f"write {NO_LIMIT_V:g}, or a cell file with [plating]"
        raise document.mistake(("limits", "plating_v"), what, value=asks.plating_v, bound=NO_LIMIT_V, hint=hint)
    rules: tuple[tuple[str, Any, float, float], ...] = (
        ("voltage_v", asks.voltage_v, bears.low_v, bears.high_v),
        ("temperature_degc", asks.temperature_degc, bears.low_k - 273.15, bears.high_k - 273.15),
    )
    for key, (low, high), least, most in rules:
        if low < least or high > most:
            what = f"= [{low:g}, {high:g}] is outside the limits of the cell {task.cell.name}"
            bound = f"{least:g} to {most:g}"
            raise document.mistake(("limits", key), what, value=[low, high], bound=bound, hint="stay within them")
    for key, rate_c, most_c in (
        ("charge_c", asks.charge_c, bears.charge_c),
        ("discharge_c", asks.discharge_c, bears.discharge_c),
    ):
        if rate_c > most_c:
            what = f"= {rate_c:g} is more than the cell {task.cell.name} bears"
            raise document.mistake(("limits", key), what, value=rate_c, bound=most_c, hint="lower it")
