"""The defects that can be seeded in the emulated BMS, by which a suite is judged."""

from __future__ import annotations

from fixtures.bms.flaws import DEFECTS


def defects() -> dict[str, str]:
    """Name to what is wrong."""
    return {name: defect.about for name, defect in DEFECTS.items()}


def sabotage(name: str, place: int) -> str:
    """What an engine's order says for a seeded defect."""
    return f"seed:{name}:{place}"
