"""The metrics that a birth declared, by name and by alias, with datatypes; they are used to read later messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_bridge.sparkplug.payload import DataType, PayloadError, SparkplugMetric, convert_metric

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_bridge.sparkplug.payload import Payload


@dataclass(frozen=True)
class Aliases:
    """The declared metrics of one node."""

    types: dict[str, DataType]
    names: dict[int, str]

    @staticmethod
    def from_birth(metrics: Iterable[SparkplugMetric]) -> Aliases:
        """Make them from a birth's metrics; raise `PayloadError` if a name, a type or a unique alias is missing."""
        types, names = dict[str, DataType](), dict[int, str]()
        for metric in metrics:
            if metric.name is None or metric.datatype is DataType.UNKNOWN:
                raise PayloadError("incomplete_birth", f"a birth leaves out the name or the type of {metric.name}")
            if metric.name in types or metric.alias in names:
                raise PayloadError("declared_twice", f"a birth declares {metric.name} twice", key=metric.name)
            types[metric.name] = metric.datatype
            if metric.alias is not None:
                names[metric.alias] = metric.name
        return Aliases(types, names)

    def read(self, payload: Payload) -> dict[str, SparkplugMetric]:
        """Read the metrics of a message by name; raise `PayloadError` (`unknown_alias`, `twice`, `wrong_type` ...)."""
        found = dict[str, SparkplugMetric]()
        for metric in payload.metrics:
            named = self.resolve(metric)
            assert named.name is not None  # noqa: S101  # `resolve` gave it one
            if named.name in found:
                raise PayloadError("twice", f"{named.name} occurs twice in one message", key=named.name)
            found[named.name] = named
        return found

    def resolve(self, metric: SparkplugMetric) -> SparkplugMetric:
        """Return the metric with name and datatype of its declaration."""
        name = self.names.get(metric.alias) if metric.alias is not None else metric.name
        if name is None or name not in self.types:
            called = metric.name if metric.alias is None else f"alias {metric.alias}"
            raise PayloadError("unknown_alias", f"{called} was in no birth", key=metric.name, value=metric.alias)
        if metric.name not in {None, name}:
            raise PayloadError("unknown_alias", f"alias {metric.alias} is {name}, not {metric.name}", key=name)
        return convert_metric(metric, name, self.types[name])
