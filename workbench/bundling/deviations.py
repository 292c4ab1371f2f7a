"""Deviations of the evidence that a person may accept with a reason, which the bundle then contains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.errors import Refused, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_REASON: Final = 500  # characters


@dataclass(frozen=True, slots=True)
class Deviation:
    """One deviation: its `kind` for programs, and what deviates."""

    kind: str
    what: str


def check_reason(given: str) -> str:
    """Return the reason in one line; raise `Usage` for one that is too long."""
    plain = " ".join(given.split())
    if len(plain) > MAX_REASON:
        bound = f"up to {MAX_REASON} characters"
        raise Usage(f"the reason has {len(plain)} characters", key="accept", bound=bound, hint=f"write {bound}")
    return plain


def accept(found: Sequence[Deviation], reason: str) -> list[dict[str, str]]:
    """Return the deviations with the reason, as `evidence.json` has them; raise `Refused` without a reason."""
    if found and not reason:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        hint = "use other evidence, or accept it with --accept REASON, which is written into the bundle"
        raise Refused(f"{found[0].what}{more}", key="accept", hint=hint)
    return [{"kind": one.kind, "what": one.what, "reason": reason} for one in found]


def require_unchanged(now: Mapping[str, str], recorded: Mapping[str, str], proof: str) -> None:
    """Raise `Refused` if an input of the bench is not the one that `proof` (a run, a certificate) was made with."""
    if not recorded:
        what = f"{proof} records no hashes of the files that the bench file names: an earlier version made it"
        raise Refused(what, key="files", hint="record and certify again")
    for name in sorted(now.keys() | recorded.keys()):
        if now.get(name) != recorded.get(name):
            what = f"{name} is not the file with which {proof} was made"
            hint = "restore the file, or record and certify again"
            raise Refused(what, key="files", value=now.get(name), bound=recorded.get(name), hint=hint)
