"""The names that `measure` accepts, and the module of each."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

from drivers.errors import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasuredMetric, MeasureRow

NAMES: Final = (
    *("window", "loop", "load", "twins", "estimators", "health", "mpc", "rl"),
    *("wire", "guard", "safety", "recorder", "chain", "fleet"),
)
ALL: Final = "all"


class Measurement(Protocol):
    """A measurement module: the figures that it declares, and the function that measures them."""

    METRICS: tuple[MeasuredMetric, ...]

    def measure(self, job: MeasureJob) -> Iterator[MeasureRow]:
        """Yield each declared figure once, as soon as it is measured; report and skip one that cannot be measured."""
        ...


def select_names(name: str) -> tuple[str, ...]:
    """Return the names to measure; raise `Usage`, which lists the known names."""
    if name == ALL:
        return NAMES
    if name not in NAMES:
        raise Usage(f"measurement {name!r} is unknown", value=name, hint=f"names: {', '.join((*NAMES, ALL))}")
    return (name,)


def measurement(name: str) -> Measurement:
    """Return the module of a name; it imports heavy parts when it measures."""
    return cast("Measurement", import_module(f"workbench.measure.{name}"))
