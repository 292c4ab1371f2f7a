"""A claim token: who has it may enrol one device, once, for a limited time. It also says which authority to trust.

`NODE.SECRET.FINGERPRINT`: the register keeps only the hash of the secret; the fingerprint is the SHA-256 of `ca.pem`.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final

from drivers.errors import Usage

LIFE_S: Final = 24 * 3600.0
SECRET_BYTES: Final = 20
MAX_TOKEN: Final = 200  # characters
_TOKEN: Final = re.compile(r"([A-Za-z0-9._-]{1,60})\.([a-z2-7]{32})\.([0-9a-f]{64})", re.ASCII)
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True)
class ClaimToken:
    """The parts of a token; `str` writes it."""

    node: str
    secret: str
    fingerprint: str

    def __str__(self) -> str:
        return f"{self.node}.{self.secret}.{self.fingerprint}"

    def __repr__(self) -> str:
        return f"ClaimToken({self.node!r})"  # the secret is for nobody's log

    @property
    def digest(self) -> str:
        """The hash under which the register knows it; 160 random bits need no slow hash."""
        return hashlib.sha256(self.secret.encode()).hexdigest()


def make_token(node: str, fingerprint: str) -> ClaimToken:
    """Make a token for a device of this name."""
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(SECRET_BYTES * 8 // 5))
    return ClaimToken(node, secret, fingerprint)


def parse_token(text: str) -> ClaimToken:
    """Read a token; raise `Usage` for any other text."""
    match = _TOKEN.fullmatch(text.strip()) if len(text) <= MAX_TOKEN else None
    if match is None:
        hint = "copy the whole line that `fleet enroll` printed"
        raise Usage("this is not a token of `fleet enroll`", key="token", hint=hint)
    return ClaimToken(*match.groups())
