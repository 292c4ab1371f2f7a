"""What `health --features` needs: a model of capacity, and one of the end of life where enough cells reached it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from twin.health.capacity_model import CapacityModel
from twin.health.end_of_life import LifeModel

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA: Final = "pulsebms.health/1"


@dataclass(frozen=True)
class HealthModel:
    """Both models; `about` says what made them: command, data set, licence, split, scores on held cells."""

    capacity: CapacityModel
    life: LifeModel | None
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def encode(self) -> dict[str, Any]:
        """Return the models for a file."""
        life = self.life and self.life.encode()
        return {"schema": SCHEMA, "about": dict(self.about), "capacity": self.capacity.encode(), "life": life}

    @classmethod
    def decode(cls, fields: Mapping[str, Any]) -> Self:
        """Return the models of `encode`; raise `KeyError`, `TypeError` or `ValueError`."""
        life = fields["life"] and LifeModel.decode(fields["life"])
        return cls(CapacityModel.decode(fields["capacity"]), life, dict(fields["about"]))
