"""The bench that comes with the workbench: emulated, 24 cells in series."""

from __future__ import annotations

from pathlib import Path
from typing import Final

EMULATED_BENCH: Final = Path(__file__).resolve().parents[2] / "fixtures" / "benches" / "hil24.toml"
