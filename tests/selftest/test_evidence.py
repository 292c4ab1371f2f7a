"""What the instruments' journals prove: who said off, and when."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from workbench.selftest import evidence
from workbench.selftest.evidence import SupplyOff

if TYPE_CHECKING:
    from pathlib import Path

GUARD, ENGINE = 5001, 5002
ENGINE_FIRST: Final = [
    {"t": 10.0, "conn": f"127.0.0.1:{ENGINE}", "in": "OUTP OFF"},
    {"t": 10.001, "output": 0, "cause": f"127.0.0.1:{ENGINE}"},
    {"t": 10.002, "conn": f"127.0.0.1:{GUARD}", "in": "OUTP?"},
]
GUARD_TOO: Final = {"t": 10.004, "conn": f"127.0.0.1:{GUARD}", "in": "OUTP OFF"}


def write(folder: Path, *entries: dict[str, Any]) -> None:
    lines = "".join(json.dumps(entry) + "\n" for entry in entries)
    (folder / "supply.journal.jsonl").write_text(lines, encoding="utf-8")


def test_an_engine_that_is_first_leaves_the_guard_its_own_word(tmp_path: Path) -> None:
    write(tmp_path, *ENGINE_FIRST, GUARD_TOO)
    assert evidence.find_supply_off(tmp_path, 9.0) == SupplyOff(10.001, ENGINE)
    assert evidence.find_requested_off(tmp_path, 9.0, frozenset({GUARD})) == SupplyOff(10.004, GUARD)


def test_a_guard_that_only_asks_how_it_stands_has_not_said_off(tmp_path: Path) -> None:
    write(tmp_path, *ENGINE_FIRST)
    assert evidence.find_requested_off(tmp_path, 9.0, frozenset({GUARD}), within_s=0.0) == SupplyOff(10.001, ENGINE)


def test_what_was_said_while_the_output_stays_on_is_no_off(tmp_path: Path) -> None:
    write(tmp_path, GUARD_TOO)
    assert evidence.find_requested_off(tmp_path, 9.0, frozenset({GUARD}), within_s=0.0) is None
