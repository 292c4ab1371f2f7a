"""The names that `measure` knows, and the module behind each."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

from drivers.errors import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasuredMetric, MeasureRow

NAMES: Final = ("window", "loop", "load", "twins", "estimators", "mpc", "wire", "guard", "safety", "recorder", "chain")
ALL: Final = "all"


class Measurement(Protocol):
    """One module here: what it declares, and how it is measured."""

    METRICS: tuple[MeasuredMetric, ...]

    def measure(self, job: MeasureJob) -> Iterator[MeasureRow]:
        """Each declared figure once, as soon as it stands; one that cannot be measured here is said and left out."""
        ...


def select_names(name: str) -> tuple[str, ...]:
    """The names to measure; raises `Usage` that lists what there is."""
    if name == ALL:
        return NAMES
    if name not in NAMES:
        raise Usage(f"{name!r} is nothing to measure", value=name, hint=f"names: {', '.join((*NAMES, ALL))}")
    return (name,)


def measurement(name: str) -> Measurement:
    """The module behind a name; heavy parts are imported when it measures."""
    return cast("Measurement", import_module(f"workbench.measure.{name}"))
