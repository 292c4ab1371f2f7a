"""One line of `doctor`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DoctorCheck:
    """One thing that the machine has (`ok`), lacks, or could have better (`needed` is False)."""

    name: str
    ok: bool
    found: str
    mend: str = ""
    needed: bool = True
