"""Bench files of the emulated bench with packs of other cell counts."""

from __future__ import annotations

from pathlib import Path

from drivers.benchfile.copy import copy_bench

LFP16 = Path(__file__).resolve().parents[2] / "fixtures" / "benches" / "lfp16.toml"


def make_bench(folder: Path, cells: int) -> Path:
    """A bench of so many cells in `folder`: only the count and the numbers of the map differ from the bench of 16."""
    bench = copy_bench(LFP16, folder)[0]
    _replace(bench, "cells = 16", f"cells = {cells}")
    _replace(folder / "pulse16.dut.toml", "numbers = [1, 16]", f"numbers = [1, {cells}]")
    return bench


def _replace(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, after), encoding="utf-8")
