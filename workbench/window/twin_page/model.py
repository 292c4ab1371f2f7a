"""What the Twin page asks for, and what comes back: small enough to send between processes. Without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MODELS = ("ecm", "spme", "dfn")  # as the verb `twin` names them


@dataclass(frozen=True, slots=True)
class LayRequest:
    """What `twin` is asked for; `soc0` (0 to 1) None: from the first voltages; `number`: the cell of a run, from 1."""

    log: Path
    cell: str  # a shipped cell, or a file
    model: str = MODELS[0]
    soc0: float | None = None
    number: int | None = None
    columns: str = ""
    sign: str = ""
    degc: float | None = None  # of a log that has no temperature
    series: int = 1
    parallel: int = 1

    @property
    def words(self) -> list[str]:
        """The verb and its options, but for the file to write."""
        words = ["twin", str(self.log), "--cell", self.cell, "--model", self.model, "--json"]
        for option, value in (
            ("--soc0", self.soc0),
            ("--number", self.number),
            ("--columns", self.columns),
            ("--sign", self.sign),
            ("--temperature-degc", self.degc),
            ("--series", None if self.series == 1 else self.series),
            ("--parallel", None if self.parallel == 1 else self.parallel),
        ):
            if value not in {None, ""}:
                words += [option, str(value)]
        return words

    @property
    def name(self) -> str:
        """The cell and the model, as legends show them."""
        return f"{Path(self.cell).stem} {self.model.upper()}"


@dataclass(frozen=True, slots=True)
class ThinnedCurve:
    """A curve over time (s), thinned to its extremes."""

    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ResidualBin:
    """Residuals (V) of `count` rows around `centre`: their sum and the sum of their squares."""

    centre: float
    count: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        return self.total / self.count

    @property
    def rmse(self) -> float:
        return (self.squares / self.count) ** 0.5


@dataclass(frozen=True, slots=True)
class LaidTwin:
    """A twin over a log. RMSE (V, K) as the verb gives it: above 20 % SoC; NaN where nothing was measured."""

    request: LayRequest
    rmse_v: float
    rmse_k: float
    soc0: float
    rows: int
    notes: tuple[str, ...]
    measured: ThinnedCurve
    voltage: ThinnedCurve
    residual: ThinnedCurve
    by_soc: tuple[ResidualBin, ...]
    by_kelvin: tuple[ResidualBin, ...]


@dataclass(frozen=True, slots=True)
class RefitRequest:
    """What `fit` is asked for; `beside`: the cell of before, scored on the same tests."""

    tests: Path
    out: Path
    beside: str

    @property
    def words(self) -> list[str]:
        """The verb and its options."""
        return ["fit", str(self.tests), "--out", str(self.out), "--beside", self.beside, "--json"]


@dataclass(frozen=True, slots=True)
class RefitTest:
    """A test of the list and its RMSE (V) before and after; `held`: the fit never saw it."""

    file: str
    kind: str
    degc: float
    held: bool
    before_v: float
    after_v: float
    lay: LayRequest  # its log, by the cell of before


@dataclass(frozen=True, slots=True)
class RefitResult:
    """A fitted cell file, how it holds on each test, and what the tests settled (0 to 1)."""

    request: RefitRequest
    cell: str
    capacity_ah: float
    settled: float
    tests: tuple[RefitTest, ...]
    notes: tuple[str, ...]


def pool_bins(parts: list[tuple[ResidualBin, ...]]) -> tuple[ResidualBin, ...]:
    """Return the bins of several logs as those of one, by rising centre."""
    pooled: dict[float, ResidualBin] = {}
    for one in (one for part in parts for one in part):
        other = pooled.get(one.centre, ResidualBin(one.centre, 0, 0.0, 0.0))
        sums = one.count + other.count, one.total + other.total, one.squares + other.squares
        pooled[one.centre] = ResidualBin(one.centre, *sums)
    return tuple(pooled[centre] for centre in sorted(pooled))


def pool_rmse(tests: list[float]) -> float:
    """Return the root mean square of RMSEs (V), each test counting once; NaN without any."""
    known = [value for value in tests if value == value]  # noqa: PLR0124  # not NaN
    return (sum(value**2 for value in known) / len(known)) ** 0.5 if known else float("nan")
