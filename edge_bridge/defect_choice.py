"""The choice of a part with an injected defect, by the name given to `--inject-defect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from drivers.errors import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

Part = TypeVar("Part")


def choose_part(defect: str, plain: Part, parts: Mapping[str, Part]) -> Part:
    """Return the part with the defect, `plain` for an empty name; raise `Usage` with the known names."""
    if not defect:
        return plain
    if defect not in parts:
        what, known = f"--inject-defect {defect} is unknown", ", ".join(parts)
        raise Usage(what, key="inject-defect", value=defect, bound=known, hint=f"names: {known}")
    return parts[defect]
