"""The rules of a promotion, from a TOML file with a version: written before a policy is judged, not after."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from control.tasks.adversaries import AdversaryRules
from drivers.benchfile.document import Document
from drivers.benchfile.validation import validate

FILE: Final = Path(__file__).parent / "promotion.toml"

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]
Controllers = Literal["mpc", "rule"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FastRules(_Section):
    """Episodes on the fast environment; the shares are upper bounds."""

    seed: int
    episodes: Count
    violation_bound: Share
    interventions: Share
    outside: Share


class AdversarialRules(AdversaryRules):
    """Episodes of each kind of `AdversaryKind` on PyBaMM."""

    seed: int
    episodes: Count
    model: Literal["DFN", "SPMe"]


class CostRules(_Section):
    """Days beside the peer. `margin`: of the magnitude of the peer's mean cost."""

    seed: int
    days: Count
    peer: Controllers
    margin: float
    draws: Count


class MonitorRules(_Section):
    """A later answer than `deadline_s`, or an observation outside the trained range, hands over to `instead`."""

    deadline_s: Annotated[float, Field(gt=0.0)]
    instead: Controllers


class PromotionRules(_Section):
    """All gates; `sha256` is that of the file."""

    format: Annotated[Literal["pulsebms.promotion_rules/1"], Field(alias="schema")]
    version: Count
    fast: FastRules
    adversarial: AdversarialRules
    cost: CostRules
    monitors: MonitorRules
    _sha256: str = PrivateAttr(default="")

    @property
    def sha256(self) -> str:
        return self._sha256


def read_rules(path: Path = FILE) -> PromotionRules:
    """Read the rules; raise `BenchFileError`, which names line, key, value and bound."""
    document = Document.read(path)
    rules = validate(document, PromotionRules)
    rules._sha256 = hashlib.sha256(document.text.encode()).hexdigest()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # the reader completes it
    return rules
