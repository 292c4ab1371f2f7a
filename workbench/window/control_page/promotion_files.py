"""The newest results of `promote` and `shadow`, as both verbs write them; another version is named, not guessed."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  # a field of a record names it
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PROMOTION_SCHEMA: Final = "pulsebms.promotion/1"
SHADOW_SCHEMA: Final = "pulsebms.shadow/1"
PROMOTED: Final = "promoted"
HOLDS, FAILS, SHORTENED, NOT_RUN = "holds", "fails", "shortened", "not run"
_FILES: Final = {"promotion*.json": PROMOTION_SCHEMA, "shadow*.json": SHADOW_SCHEMA}


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate of a judgement: `is_passed` is None if it was not run."""

    name: str
    is_passed: bool | None
    evidence: str
    reason: str = ""
    is_shortened: bool = False

    @property
    def word(self) -> str:
        if self.is_passed is None:
            return NOT_RUN
        if not self.is_passed:
            return FAILS
        return SHORTENED if self.is_shortened else HOLDS

    @property
    def holds(self) -> bool:
        """A gate that was judged on fewer episodes than its rules ask for does not hold."""
        return self.word == HOLDS


@dataclass(frozen=True, slots=True)
class PromotionRecord:
    """One judgement of a policy."""

    file: Path
    made_s: float
    verdict: str
    policy_sha256: str
    policy: str
    task: str
    rules: str
    gates: tuple[GateResult, ...]

    @property
    def first_open(self) -> GateResult | None:
        """The first gate that does not hold."""
        return next((gate for gate in self.gates if not gate.holds), None)


@dataclass(frozen=True, slots=True)
class ShadowRecord:
    """A candidate in the shadow of `active`: by day, by how much it costs more, in EUR; both are counterfactual."""

    file: Path
    made_s: float
    task: str
    active: str
    candidate: str
    days: tuple[float, ...]
    closed_eur: tuple[float, ...]
    open_eur: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class JudgeResults:
    """The newest of each; `trouble` names a file that cannot be used."""

    promotion: PromotionRecord | None = None
    shadow: ShadowRecord | None = None
    trouble: str = ""


def find_results(folders: tuple[Path, ...]) -> JudgeResults:
    """Return the newest results below `folders`."""
    trouble: list[str] = []
    promotion = _find_newest(folders, "promotion*.json", _make_promotion, trouble)
    shadow = _find_newest(folders, "shadow*.json", _make_shadow, trouble)
    return JudgeResults(promotion, shadow, trouble[0] if trouble else "")


def _find_newest(
    folders: tuple[Path, ...],
    pattern: str,
    make: Callable[[Path, float, Mapping[str, Any]], Any],
    trouble: list[str],
) -> Any:
    """Return the record of the newest file that can be read; note the others that are newer."""
    for made_s, path in sorted(_list_files(folders, pattern), reverse=True):
        try:
            loaded: Any = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            trouble.append(f"{path} cannot be read: {error}")
            continue
        content = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
        if content.get("schema") != _FILES[pattern]:
            trouble.append(f"{path} has the schema {content.get('schema')!r}; this version reads {_FILES[pattern]}")
            continue
        try:
            return make(path, made_s, content)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            trouble.append(f"{path} is not whole: {error!r}")
    return None


def _list_files(folders: tuple[Path, ...], pattern: str) -> Iterator[tuple[float, Path]]:
    for folder in folders:
        for path in folder.rglob(pattern):
            try:
                yield path.stat().st_mtime, path
            except OSError:  # it went meanwhile
                continue


def _make_promotion(path: Path, made_s: float, content: Mapping[str, Any]) -> PromotionRecord:
    policy, task, rules = content["policy"], content["task"], content["rules"]
    gates = _make_gates(content)
    about = f"{str(policy['algorithm']).upper()}, seed {policy['seed']}"
    words = str(content["verdict"]), str(policy["sha256"]), about, str(task["name"]), f"version {rules['version']}"
    return PromotionRecord(path, made_s, *words, gates)


def _make_gates(content: Mapping[str, Any]) -> tuple[GateResult, ...]:
    return tuple(
        GateResult(
            str(gate["name"]),
            None if gate["is_passed"] is None else bool(gate["is_passed"]),
            str(gate["evidence"]),
            str(gate.get("reason") or ""),
            bool(gate.get("is_shortened")),
        )
        for gate in content["gates"]
    )


def read_gates_so_far(path: Path) -> tuple[GateResult, ...]:
    """Return the gates of a judgement under way; none if there is no such file, or not a whole one."""
    try:
        return _make_gates(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def _make_shadow(path: Path, made_s: float, content: Mapping[str, Any]) -> ShadowRecord:
    runs = list(content["runs"])
    return ShadowRecord(
        path,
        made_s,
        str(content["task"]),
        str(content["active"]),
        str(content["candidate"]),
        tuple(float(number) for number in range(1, len(runs) + 1)),
        tuple(_number(run["closed_loop"]["cost_eur"]) - _number(run["active"]["cost_eur"]) for run in runs),
        tuple(_number(run["open_loop"]["more_eur"]) for run in runs),
    )


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
