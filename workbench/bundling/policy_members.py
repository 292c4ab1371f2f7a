"""Members of a bundle for a promoted policy: its file, and the result of its promotion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.errors import Refused, Usage
from drivers.regular_file import read_regular
from edge_bridge.bundle.archive import MAX_BYTES
from edge_bridge.bundle.promotion import POLICY, PROMOTION, require_promoted

if TYPE_CHECKING:
    from pathlib import Path


def read_policy_members(policy: Path | None, promotion: Path | None) -> dict[str, bytes]:
    """Return both members, or none; raise `Refused` for a policy that was not promoted, `Usage` for half of the two."""
    if policy is None and promotion is None:
        return {}
    if policy is None or promotion is None:
        hint = "name the policy with --policy and what promote wrote about it with --promotion"
        raise Usage("a policy needs its promotion, and a promotion its policy", key="policy", hint=hint)
    result = promotion / PROMOTION if promotion.is_dir() else promotion
    data, judged = _read(policy), _read(result)
    try:
        require_promoted(judged, data)
    except KeyError as error:
        raise Refused(f"is no result of promote: {error} is missing", where=str(result), key="promotion") from error
    except (TypeError, ValueError) as error:
        hint = "run: python main.py promote POLICY --out DIR"
        raise Refused(str(error), where=str(result), key="promotion", hint=hint) from error
    return {POLICY: data, PROMOTION: judged}


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, MAX_BYTES)
    except OSError as error:
        hint = "name the policy, and the folder that promote wrote"
        raise Usage(f"cannot be read: {error.strerror}", where=str(path), hint=hint) from error
