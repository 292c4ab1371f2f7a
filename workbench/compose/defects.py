"""The defects that can be seeded in the emulated BMS, by which a suite is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.errors import Usage
from fixtures.bms.flaws import DEFECTS

if TYPE_CHECKING:
    from drivers.benchfile.model import Bench

EMULATED: Final = "emulated"
SEED: Final = "seed"
# What is broken on purpose in an emulated part, and the section of the bench file that must name one.
PLACES: Final = {SEED: "dut", "bms-threshold": "dut", "mute-supply": "supply", "swap-cells": "cell_simulator"}
KEYS: Final = {"dut": "interface"}


def defects() -> dict[str, str]:
    """Name to what is wrong."""
    return {name: defect.about for name, defect in DEFECTS.items()}


def sabotage(name: str, place: int) -> str:
    """What an engine's order says for a seeded defect."""
    return f"seed:{name}:{place}"


def refuse_without_place(bench: Bench, sabotage: str) -> None:
    """Raise `Usage` where the part that `sabotage` would break is not emulated: it would break nothing."""
    name = sabotage.partition(":")[0]
    section = PLACES.get(name)
    if section is None:
        return
    key = KEYS.get(section, "address")
    declared = str(getattr(getattr(bench, section), key))
    if declared.partition(":")[0] == EMULATED:
        return
    what = f"{sabotage or name} cannot be seeded: {section}.{key} = {declared!r} is no emulated one"
    hint = "a defect is seeded in an emulated part alone; name the emulated bench, or a bench that has that part"
    raise Usage(what, where=str(bench.path), key=f"{section}.{key}", value=declared, hint=hint)
