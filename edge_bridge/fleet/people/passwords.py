"""Passwords: which are accepted (NIST SP 800-63B: length and a block list, no composition rules), and their hashes."""

from __future__ import annotations

import threading
import unicodedata
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from drivers.errors import Refused, Usage
from edge_bridge.fleet.people.common_passwords import COMMON

if TYPE_CHECKING:
    from collections.abc import Generator

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 256
_MEMORY_KIB, _PASSES, _LANES = 19_456, 2, 1  # OWASP Password Storage Cheat Sheet: Argon2id
_AT_ONCE: Final = 2  # hashes: each takes a core, and the memory above
_WAIT_S: Final = 5.0
_HINT: Final = f"choose {MIN_LENGTH} or more characters, for instance four words"
_slots: Final = threading.BoundedSemaphore(_AT_ONCE)
_hasher: Final = PasswordHasher(_PASSES, _MEMORY_KIB, _LANES)


def check_password(password: str, name: str) -> None:
    """Raise `Usage` for a password that this account may not have."""
    text = _normalise(password).casefold()
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        what = f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters, this one {len(password)}"
        raise Usage(what, key="password", bound=[MIN_LENGTH, MAX_LENGTH], hint=_HINT)
    if text.replace(name.casefold(), "") == "":
        raise Usage("the password is the name of the account", key="password", hint=_HINT)
    if text in COMMON or _is_short_pattern(text):
        raise Usage("the password is one of the commonest, which are tried first", key="password", hint=_HINT)


def hash_password(password: str) -> str:
    """Return the hash to store."""
    with _take_slot():
        return _hasher.hash(_normalise(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Return whether the password is the one of the stored hash; for no hash take the same time and return False."""
    with _take_slot():
        try:
            _hasher.verify(stored or _make_dummy(), _normalise(password[:MAX_LENGTH]))
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None and len(password) <= MAX_LENGTH


def is_outdated(stored: str) -> bool:
    """Return whether the hash was made with other parameters than those of today."""
    return _hasher.check_needs_rehash(stored)


@contextmanager
def _take_slot() -> Generator[None]:
    """Wait for one of the places to hash in, but not as one of hundreds."""
    if not _slots.acquire(timeout=_WAIT_S):
        raise Refused("too many people sign in at this moment", key="password", hint="try again in some seconds")
    try:
        yield
    finally:
        _slots.release()


def _normalise(password: str) -> str:
    """Return the same text for the same characters, however a keyboard composes them."""
    return unicodedata.normalize("NFKC", password.encode(errors="replace").decode())


def _is_short_pattern(text: str) -> bool:
    """Return whether the text is up to three characters again and again: a class of the commonest, not a rule."""
    return any(text == (text[:size] * len(text))[: len(text)] for size in (1, 2, 3))


@cache
def _make_dummy() -> str:
    return _hasher.hash("no account has this hash")
