"""Two slots for bundles: the active one runs, the edge reverts to the last good one. Each change is atomic."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from drivers.state_file import (
    DamagedFile,
    MissingFile,
    put_aside,
    read_state,
    read_text,
    read_whole,
    remove,
    write_bytes,
    write_state,
)

if TYPE_CHECKING:
    from pathlib import Path

SLOTS: Final = ("a", "b")
MAX_REMEMBERED: Final = 8  # bundles that were given up


@dataclass(frozen=True, slots=True)
class InstalledBundle:
    """A bundle in its slot; `at` is when it was verified and installed (UTC, ISO 8601).

    `pack_type` is empty for a bundle that names none, or that an earlier version installed.
    """

    slot: str
    sha256: str
    name: str
    serial: int
    at: str
    pack_type: str = ""


@dataclass(frozen=True, slots=True)
class SlotPointer:
    """Which bundle runs, and which one last proved healthy."""

    active: InstalledBundle | None = None
    good: InstalledBundle | None = None

    @property
    def is_on_probation(self) -> bool:
        return self.active is not None and self.active != self.good


class Slots:
    """`folder` holds two bundle files, the pointer and the count of boots on probation.

    `damage` says why the pointer cannot be read (it is unknown then which bundle may run), empty if it can.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        found = read_state(self._pointer_file, _parse_pointer)
        self.damage = found.sentence if isinstance(found, DamagedFile) else ""
        self.pointer = found if isinstance(found, SlotPointer) else SlotPointer()

    def read_failed_hashes(self) -> tuple[str, ...] | DamagedFile:
        """Return the hashes of bundles that ran here and did not prove healthy, the newest last."""
        found = read_state(self._failures_file, _parse_hashes)
        return () if isinstance(found, MissingFile) else found

    def read_bundles(self) -> list[bytes]:
        """Read the bundles in both slots, whatever the pointer says of them."""
        found: list[bytes] = []
        for slot in SLOTS:
            with contextlib.suppress(OSError):
                found.append(self._slot_file(slot).read_bytes())
        return found

    def read(self, installed: InstalledBundle) -> bytes | None:
        """Read the bytes of an installed bundle; None if the disk no longer has them as they were."""
        try:
            data = self._slot_file(installed.slot).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == installed.sha256 else None

    def install(self, data: bytes, name: str, serial: int, at: str, pack_type: str = "") -> InstalledBundle:
        """Write the bundle to the slot without the last good one; it is active, on probation, now. Raise `OSError`."""
        good = self.pointer.good
        if good is not None and self.pointer.active != good:
            self._write_pointer(replace(self.pointer, active=good))  # a slot must not be active while it is overwritten
        slot = SLOTS[1] if good is not None and good.slot == SLOTS[0] else SLOTS[0]
        if self.damage:
            put_aside(self._pointer_file)
            self.damage = ""
        write_bytes(self._slot_file(slot), data, private=True)
        installed = InstalledBundle(slot, hashlib.sha256(data).hexdigest(), name, serial, at, pack_type)
        self._write_boots(installed, 1)  # this start counts
        self._write_pointer(SlotPointer(installed, good))
        return installed

    def count_start(self) -> int | DamagedFile:
        """Count a start of the active bundle on probation, after its installation; return 0 once it proved healthy."""
        active = self.pointer.active
        if active is None or not self.pointer.is_on_probation:
            return 0
        found = read_state(self._boots_file, _parse_boots)
        if isinstance(found, DamagedFile):
            remove(self._boots_file)
            self._write_boots(active, 1)
            return found
        boots = (0 if isinstance(found, MissingFile) or found[0] != active.sha256 else found[1]) + 1
        self._write_boots(active, boots)
        return boots

    def confirm(self) -> None:
        """Make the active bundle the last good one."""
        self._write_pointer(SlotPointer(self.pointer.active, self.pointer.active))
        remove(self._boots_file)

    def revert(self) -> InstalledBundle | None:
        """Revert to the last good bundle, if there is one; remember the active one as given up."""
        active = self.pointer.active
        known = self.read_failed_hashes()
        if active is not None and self.pointer.is_on_probation and not isinstance(known, DamagedFile):
            write_state(self._failures_file, {"sha256": [*known, active.sha256][-MAX_REMEMBERED:]})
        self._write_pointer(SlotPointer(self.pointer.good, self.pointer.good))
        remove(self._boots_file)
        return self.pointer.good

    @property
    def _pointer_file(self) -> Path:
        return self._folder / "pointer.json"

    @property
    def _failures_file(self) -> Path:
        return self._folder / "given_up.json"

    @property
    def _boots_file(self) -> Path:
        return self._folder / "boots.json"

    def _slot_file(self, slot: str) -> Path:
        return self._folder / f"slot_{slot}.bundle"

    def _write_boots(self, installed: InstalledBundle, boots: int) -> None:
        write_state(self._boots_file, {"sha256": installed.sha256, "boots": boots})

    def _write_pointer(self, pointer: SlotPointer) -> None:
        write_state(self._pointer_file, asdict(pointer))
        self.pointer = pointer


def _parse_pointer(fields: dict[str, Any]) -> SlotPointer:
    """Parse the pointer; raise `KeyError`, `TypeError` or `ValueError` for what `Slots` never wrote."""
    return SlotPointer(_parse_installed(fields["active"]), _parse_installed(fields["good"]))


def _parse_installed(value: Any) -> InstalledBundle | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise TypeError("a bundle of it is not an object")
    fields = cast("dict[str, Any]", value)
    slot, sha256, name, at = (read_text(fields, key) for key in ("slot", "sha256", "name", "at"))
    if slot not in SLOTS:
        raise ValueError(f"slot {slot!r} does not exist")
    pack_type = read_text(fields, "pack_type") if fields.get("pack_type") else ""
    return InstalledBundle(slot, sha256, name, read_whole(fields, "serial"), at, pack_type)


def _parse_boots(fields: dict[str, Any]) -> tuple[str, int]:
    return read_text(fields, "sha256"), read_whole(fields, "boots", 1)


def _parse_hashes(fields: dict[str, Any]) -> tuple[str, ...]:
    hashes: Any = fields["sha256"]
    if not isinstance(hashes, list) or not all(isinstance(sha256, str) for sha256 in cast("list[object]", hashes)):
        raise TypeError("its sha256 is not a list of hashes")
    return tuple(cast("list[str]", hashes))
