"""The status of a node whose newest message was a row: made into a mapping only where it is read.

A fleet gets thousands of such states a second and reads few of them: whether something was told that is not measured
can be seen without the mapping (`read_told`).
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from edge_bridge import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_bridge.metrics import Scalar

TOLD: Final = (  # what a node tells of itself and does not measure: a change of it is an event, or news
    metrics.SHA256,
    metrics.NAME,
    metrics.EVIDENCE,
    metrics.SERIAL,
    metrics.DESIRED,
    metrics.STATE,
    metrics.REASON,
    metrics.RECEIVED,
    metrics.EVICTED,
    metrics.VERDICT,
    metrics.BMS_FAULT,
    metrics.ANSWERED,
)


class StatusNames:
    """The names of the status in a kind of row, in their order, and where the values of `TOLD` lie among them."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.places = {name: place for place, name in enumerate(names)}
        self.pick_told = _make_picker([self.places[name] for name in TOLD if name in self.places])


class RowStatus(Mapping[str, "Scalar"]):
    """The values of a row before the `rest`, which other messages told. Nobody changes one."""

    __slots__ = ("_values", "names", "picked", "rest", "told")

    def __init__(self, before: Mapping[str, Scalar], names: StatusNames, values: tuple[Scalar, ...]) -> None:
        """`before` is the status until now; `values` are those of a row, in the order of `names`."""
        self.names, self._values, self.picked = names, values, names.pick_told(values)
        if type(before) is RowStatus and before.names is names:
            self.rest = before.rest
            if before.picked == self.picked:
                self.told = before.told  # the same object: comparing it costs next to nothing
                return
        else:
            self.rest = {name: value for name, value in before.items() if name not in names.places}
        self.told = tuple(map(self.get, TOLD))

    def __getitem__(self, name: str) -> Scalar:
        place = self.names.places.get(name)
        return self.rest[name] if place is None else self._values[place]

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a name, `default` if there is none."""
        place = self.names.places.get(name)
        return self.rest.get(name, default) if place is None else self._values[place]

    def __iter__(self) -> Iterator[str]:
        yield from self.rest
        yield from self.names.places

    def __len__(self) -> int:
        return len(self.rest) + len(self._values)

    def __repr__(self) -> str:
        return repr(copy_status(self))

    def as_dict(self) -> dict[str, Scalar]:
        """Return all values by name."""
        return {**self.rest, **dict(zip(self.names.places, self._values, strict=True))}


def copy_status(status: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return a copy of a status, at little cost."""
    return status.as_dict() if isinstance(status, RowStatus) else dict(status)


def read_told(status: Mapping[str, Scalar]) -> tuple[Scalar, ...]:
    """Return the values of `TOLD`."""
    return status.told if type(status) is RowStatus else tuple(map(status.get, TOLD))


def tells_the_same(one: Mapping[str, Scalar], other: Mapping[str, Scalar]) -> bool:
    """Return whether it is certain that two states differ at most in what is measured."""
    return type(one) is RowStatus and type(other) is RowStatus and one.told is other.told


def _make_picker(places: list[int]) -> Callable[[tuple[Scalar, ...]], Any]:
    """Return what takes these values out of those of a row, to be compared."""
    return itemgetter(*places) if places else len
