"""Secrets that a client holds: 256 random bits each; the database holds their hashes only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from typing import Final

TOKEN_PREFIX: Final = "pulse_"  # noqa: S105  # so that a scanner of source code recognises a token
_BYTES: Final = 32
_FORM: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 bytes as base64url without padding
_CSRF: Final = b"pulsebms csrf 1\0"


def make_secret() -> str:
    """Return a new secret."""
    return secrets.token_urlsafe(_BYTES)


def hash_secret(text: str) -> str | None:
    """Return what the database holds of a secret, None for text that cannot be one.

    A plain hash is enough: nobody guesses 256 random bits, so there is nothing to make slow.
    """
    return hashlib.sha256(text.encode()).hexdigest() if _FORM.fullmatch(text) else None


def make_csrf_token(session_secret: str) -> str:
    """Return the token that proves that a request comes from a page that may read the answers of this session."""
    mixed = hashlib.sha256(_CSRF + session_secret.encode()).digest()
    return base64.urlsafe_b64encode(mixed).decode().rstrip("=")


def is_same(one: str, other: str) -> bool:
    """Compare in a time that does not tell where two texts differ."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))


def parse_bearer(header: str) -> str | None:
    """Return the secret of an `Authorization` header, None where it has none."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.startswith(TOKEN_PREFIX):
        return None
    found = token.removeprefix(TOKEN_PREFIX)
    return found if _FORM.fullmatch(found) else None
