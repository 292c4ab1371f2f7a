"""Which passwords are accepted, and how they are kept."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.errors import Usage
from edge_bridge.fleet.people import passwords
from edge_bridge.fleet.people.common_passwords import COMMON
from edge_bridge.fleet.people.passwords import (
    MAX_LENGTH,
    MIN_LENGTH,
    check_password,
    hash_password,
    is_outdated,
    verify_password,
)

ALL_HEALTH: Any = list(HealthCheck)
GOOD = "four words and more"


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "x" * (MAX_LENGTH + 1),
        "elevenchars",
        "Password1234",
        "aaaaaaaaaaaaaa",
        "abababababab",
        "QWERTYUIOP123",
    ],
)
def test_a_short_or_common_password_is_refused(password: str) -> None:
    with pytest.raises(Usage):
        check_password(password, "eve")


def test_the_name_is_no_password() -> None:
    for password in ("eve-at-home.example", "EVE-at-home.example", "eve-at-home.example" * 2):
        with pytest.raises(Usage, match="the name of the account"):
            check_password(password, "eve-at-home.example")


@pytest.mark.parametrize(
    "password", [GOOD, "nur kleine buchstaben", "Ünïcödé passwörd", "7302 1946 5518", "pwd: 日本語のパスワード"]
)
def test_no_rule_of_composition_is_asked_for(password: str) -> None:
    check_password(password, "eve")


def test_the_list_of_the_commonest_holds_what_its_length_does_not_refuse() -> None:
    short = {one for one in COMMON if len(one) < MIN_LENGTH}
    assert len(COMMON - short) > 150
    assert all(one == one.casefold() for one in COMMON)


def test_the_hash_is_argon2id_with_the_parameters_of_owasp_and_a_salt() -> None:
    found = extract_parameters(hash_password(GOOD))
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (Type.ID, 19_456, 2, 1)
    assert hash_password(GOOD) != hash_password(GOOD)


def test_a_password_is_the_same_however_the_keyboard_composes_it() -> None:
    stored = hash_password("passwo\u0308rter am Morgen")
    assert verify_password(stored, "passwörter am Morgen")
    assert not verify_password(stored, "passworter am Morgen")


def test_a_missing_account_costs_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = list[tuple[int, int]]()

    class Counting:
        @staticmethod
        def verify(stored: str, password: str) -> bool:
            found = extract_parameters(stored)
            costs.append((found.memory_cost, found.time_cost))
            return passwords.PasswordHasher().verify(stored, password)

    known = hash_password(GOOD)
    passwords._make_dummy()  # pyright: ignore[reportPrivateUsage]  # once in the life of a process
    monkeypatch.setattr(passwords, "_hasher", Counting)
    assert not verify_password(known, "wrong")
    assert not verify_password(None, "wrong")
    assert not verify_password(None, "no account has this hash")
    assert costs == [(19_456, 2)] * 3


def test_a_hash_of_other_parameters_is_outdated() -> None:
    assert is_outdated(passwords.PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(GOOD))
    assert not is_outdated(hash_password(GOOD))


def test_a_damaged_hash_lets_nobody_in() -> None:
    for stored in ("", "x", "$argon2id$v=19$m=19456,t=2,p=1$AAAA", "$argon2id$v=19$m=1,t=0,p=0$AAAA$AAAA"):
        assert not verify_password(stored, GOOD)


@settings(max_examples=200, deadline=None, suppress_health_check=ALL_HEALTH)
@given(st.text(max_size=40, alphabet=st.characters(codec=None)), st.text(max_size=20))
def test_any_text_is_accepted_or_refused_in_words(password: str, name: str) -> None:
    with suppress(Usage):
        check_password(password, name)
        assert len(password) >= MIN_LENGTH
