"""A promoted policy in a bundle: the policy file and the result of `promote`, which must belong together."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, cast

from edge_bridge.bundle import canonical_json

if TYPE_CHECKING:
    from edge_bridge.bundle.manifest import Bundle

POLICY: Final = "policy.onnx"
PROMOTION: Final = "promotion.json"
SCHEMA: Final = "pulsebms.promotion/1"
PROMOTED: Final = "promoted"


def require_promoted(promotion: bytes, policy: bytes) -> None:
    """Raise `ValueError` unless `promotion` says that this very policy was promoted, with every gate passed."""
    loaded: Any = canonical_json.parse_json(promotion)
    result = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
    if result.get("schema") != SCHEMA:
        raise ValueError(f"its schema is {result.get('schema')!r}, not {SCHEMA}")
    if result["policy"]["sha256"] != hashlib.sha256(policy).hexdigest():
        raise ValueError("it judges another policy")
    gates: list[dict[str, Any]] = result["gates"]
    failed = [str(gate["name"]) for gate in gates if gate["is_passed"] is not True or gate["is_shortened"]]
    if result["verdict"] != PROMOTED or failed or not gates:
        why = f": {', '.join(failed)}" if failed else ""
        raise ValueError(f"the policy was not promoted ({result['verdict']}){why}")


def check_promotion(bundle: Bundle) -> None:
    """Raise `ValueError` if policy and promotion of a bundle do not belong together."""
    if (POLICY in bundle.files) != (PROMOTION in bundle.files):
        raise ValueError("a policy and its promotion must be in the bundle together")
    if POLICY in bundle.files:
        require_promoted(bundle.files[PROMOTION], bundle.files[POLICY])
