"""The job that the runner gives to the pytest process: one JSON text in its environment."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from drivers.errors import Usage
from workbench.compose.defects import NO_DEFECTS, Defects

VARIABLE: Final = "PULSEBMS_CERTIFY"


@dataclass(frozen=True)
class CertificationJob:
    """A job: `bench` file, `out` folder; `only`: case identifiers, or with variant as `OV-01/7` (empty: all).

    `first_detection`: stop at the first case that fails. `defects`: defects injected into its bench.
    `take_over`: take control of a supply that somebody else controls.
    """

    bench: Path
    out: Path
    only: tuple[str, ...] = ()
    first_detection: bool = False
    defects: Defects = NO_DEFECTS
    take_over: bool = False

    def as_text(self) -> str:
        texts = {"bench": str(self.bench), "out": str(self.out), "defects": self.defects.name}
        return json.dumps({**asdict(self), **texts})

    def includes(self, identifier: str, variant: str) -> bool:
        """Return whether a case belongs to the job."""
        return not self.only or identifier in self.only or f"{identifier}/{variant}" in self.only


def read_job() -> CertificationJob:
    """Return the job of this process; raise `Usage` outside a certification."""
    text = os.environ.get(VARIABLE)
    if text is None:
        raise Usage("no certification is running", hint="run: python main.py certify SUITE --bench FILE")
    from workbench.compose.named_defects import find_defects  # noqa: PLC0415  # a process that only writes a job injects nothing

    fields = json.loads(text)
    return CertificationJob(
        bench=Path(fields["bench"]),
        out=Path(fields["out"]),
        only=tuple(fields["only"]),
        first_detection=bool(fields["first_detection"]),
        defects=find_defects(fields["defects"]),
        take_over=bool(fields.get("take_over", False)),
    )
