"""A folder of one's own, whoever else begins at the same instant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.errors import RunLogError

if TYPE_CHECKING:
    from pathlib import Path

MOST: Final = 100


def fresh(parent: Path, name: str) -> Path:
    """Make `parent/name`, or the first of `name_1`, `name_2` ... that nobody has; raises `RunLogError`."""
    for number in range(MOST):
        folder = parent / (f"{name}_{number}" if number else name)
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise RunLogError(f"cannot be written: {error.strerror}", where=str(parent), hint="use --out") from error
        return folder
    raise RunLogError(f"has no free name for {name}", where=str(parent), hint="use --out")
