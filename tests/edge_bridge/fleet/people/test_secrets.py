"""Secrets that clients hold, and what strangers send in their place."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from edge_bridge.fleet.people.secrets import (
    TOKEN_PREFIX,
    hash_secret,
    is_same,
    make_csrf_token,
    make_secret,
    parse_bearer,
)


def test_a_secret_is_known_by_its_hash() -> None:
    secret = make_secret()
    assert hash_secret(secret) == hash_secret(secret)
    assert secret not in (hash_secret(secret) or "")
    assert len({make_secret() for _ in range(100)}) == 100


def test_the_token_of_a_request_is_read_from_its_header() -> None:
    secret = make_secret()
    assert parse_bearer(f"Bearer {TOKEN_PREFIX}{secret}") == secret
    assert parse_bearer(f"bearer {TOKEN_PREFIX}{secret}") == secret


@given(st.text())
@example("Bearer pulse_" + "A" * 42)
@example("Bearer pulse_" + "A" * 43 + "\n")
@example("Bearer  pulse_" + "A" * 43)
@example("Basic pulse_" + "A" * 43)
def test_any_other_header_has_no_token(header: str) -> None:
    assert parse_bearer(header) is None
    assert hash_secret(header) is None


def test_each_session_has_its_own_csrf_token_which_does_not_tell_the_session() -> None:
    one, other = make_secret(), make_secret()
    assert make_csrf_token(one) == make_csrf_token(one) != make_csrf_token(other)
    assert hash_secret(one) != make_csrf_token(one) != one


@given(st.text(alphabet=st.characters(codec=None)), st.text())
def test_texts_are_compared_whatever_they_hold(one: str, other: str) -> None:
    assert is_same(one, one)
    if one.encode(errors="replace") != other.encode(errors="replace"):
        assert not is_same(one, other)
