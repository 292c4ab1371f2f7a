"""Two slots for bundles: the active one runs, the last good one is what it reverts to. Each change is atomic."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final, cast

from edge_bridge.edge.durable import noted, recalled, replaced

if TYPE_CHECKING:
    from pathlib import Path

SLOTS: Final = ("a", "b")
REMEMBERED: Final = 8  # bundles that were given up


@dataclass(frozen=True, slots=True)
class Installed:
    """A bundle in its slot; `at` is when it was verified and installed (UTC, ISO 8601)."""

    slot: str
    sha256: str
    name: str
    serial: int
    at: str


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which bundle runs, and which one last proved healthy."""

    active: Installed | None = None
    good: Installed | None = None

    @property
    def on_probation(self) -> bool:
        return self.active is not None and self.active != self.good


class Slots:
    """`folder` holds two bundle files, the pointer and the count of boots on probation."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        told = recalled(folder / "pointer.json")
        self.pointer = Pointer(_installed(told.get("active")), _installed(told.get("good")))

    @property
    def given_up(self) -> tuple[str, ...]:
        """Hashes of bundles that ran here and did not prove healthy, the newest last."""
        told: Any = recalled(self._failures).get("sha256")
        return tuple(str(sha256) for sha256 in cast("list[object]", told)) if isinstance(told, list) else ()

    def read(self, installed: Installed) -> bytes | None:
        """The octets of an installed bundle; None where the disk no longer has them as they were."""
        try:
            data = self._path(installed.slot).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == installed.sha256 else None

    def install(self, data: bytes, name: str, serial: int, at: str) -> Installed:
        """Into the slot that is not the last good one; it is active, on probation, from now on. Raises `OSError`."""
        good = self.pointer.good
        if good is not None and self.pointer.active != good:
            self._point(replace(self.pointer, active=good))  # what is overwritten must not be active meanwhile
        slot = SLOTS[1] if good is not None and good.slot == SLOTS[0] else SLOTS[0]
        replaced(self._path(slot), data)
        installed = Installed(slot, hashlib.sha256(data).hexdigest(), name, serial, at)
        self._count(installed, 1)  # this very start
        self._point(Pointer(installed, good))
        return installed

    def begin(self) -> int:
        """Count a start of the active bundle on probation, after the one that installed it; 0 once it is proven."""
        active = self.pointer.active
        if active is None or not self.pointer.on_probation:
            return 0
        told = recalled(self._boots)
        count = told.get("boots") if told.get("sha256") == active.sha256 else 0
        boots = (count if isinstance(count, int) else 0) + 1
        self._count(active, boots)
        return boots

    def prove(self) -> None:
        """The active bundle is the last good one now."""
        self._point(Pointer(self.pointer.active, self.pointer.active))
        self._boots.unlink(missing_ok=True)

    def revert(self) -> Installed | None:
        """Back to the last good one, where there is one; the active one is remembered as given up."""
        active = self.pointer.active
        if active is not None and self.pointer.on_probation:
            noted(self._failures, {"sha256": [*self.given_up, active.sha256][-REMEMBERED:]})
        self._point(Pointer(self.pointer.good, self.pointer.good))
        self._boots.unlink(missing_ok=True)
        return self.pointer.good

    @property
    def _failures(self) -> Path:
        return self._folder / "given_up.json"

    @property
    def _boots(self) -> Path:
        return self._folder / "boots.json"

    def _path(self, slot: str) -> Path:
        return self._folder / f"slot_{slot}.bundle"

    def _count(self, installed: Installed, boots: int) -> None:
        noted(self._boots, {"sha256": installed.sha256, "boots": boots})

    def _point(self, pointer: Pointer) -> None:
        noted(self._folder / "pointer.json", asdict(pointer))
        self.pointer = pointer


def _installed(told: Any) -> Installed | None:
    """None for what was never written by `Slots`."""
    if not isinstance(told, dict):
        return None
    said = cast("dict[str, Any]", told)
    found: dict[str, Any] = {field.name: said.get(field.name) for field in fields(Installed)}
    texts = all(isinstance(found[name], str) for name in ("slot", "sha256", "name", "at"))
    return Installed(**found) if texts and found["slot"] in SLOTS and isinstance(found["serial"], int) else None
