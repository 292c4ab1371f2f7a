"""How often somebody may try to sign in, and ask at all. Time is an argument."""

from __future__ import annotations

import pytest

from edge_bridge.fleet.people import attempts, request_rates
from edge_bridge.fleet.people.attempts import FORGET_S, FREE_FAILURES, LoginAttempts
from edge_bridge.fleet.people.request_rates import RequestRates, find_network


def fail_until_wait(tried: LoginAttempts, account: str, address: str, now_s: float) -> float:
    for _ in range(100):
        if wait_s := tried.begin(account, address, now_s):
            return wait_s
    raise AssertionError("there is no limit")


def test_each_failure_behind_the_first_doubles_the_wait() -> None:
    tried, now_s, waits = LoginAttempts(), 0.0, list[float]()
    for _ in range(9):
        waits.append(fail_until_wait(tried, "eve", "10.0.0.1", now_s))
        now_s += waits[-1]
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0]


def test_an_account_is_locked_for_a_minute_at_most_from_other_addresses() -> None:
    tried, now_s = LoginAttempts(), 0.0
    for number in range(40):
        now_s += fail_until_wait(tried, "eve", f"10.0.0.{number}", now_s)
    assert 32.0 <= fail_until_wait(tried, "eve", "10.0.1.1", now_s) <= 60.0


def test_an_address_waits_up_to_a_quarter_of_an_hour_for_any_account() -> None:
    tried, now_s = LoginAttempts(), 0.0
    for number in range(20):
        now_s += fail_until_wait(tried, f"name-{number}", "10.0.0.1", now_s)
    assert fail_until_wait(tried, "another", "10.0.0.1", now_s) == 900.0
    assert tried.begin("another", "10.0.0.2", now_s) == 0.0


def test_many_attempts_at_once_are_no_way_around() -> None:
    tried = LoginAttempts()
    assert [tried.begin("eve", "10.0.0.1", 0.0) for _ in range(9)].count(0.0) == FREE_FAILURES


def test_the_right_password_clears_the_account_but_not_the_address() -> None:
    tried = LoginAttempts()
    for _ in range(FREE_FAILURES - 1):
        tried.begin("eve", "10.0.0.1", 0.0)
    assert tried.begin("mallory", "10.0.0.1", 0.0) == 0.0
    tried.clear("mallory", "10.0.0.1")
    tried.begin("eve", "10.0.0.1", 0.0)
    assert tried.begin("bob", "10.0.0.1", 0.0) > 0.0
    assert tried.begin("mallory", "10.0.0.9", 0.0) == 0.0


def test_failures_are_forgotten_after_an_hour() -> None:
    tried = LoginAttempts()
    fail_until_wait(tried, "eve", "10.0.0.1", 0.0)
    assert tried.begin("eve", "10.0.0.1", FORGET_S + 1.0) == 0.0


def test_names_and_addresses_that_strangers_invent_take_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "MAX_KEYS", 50)
    monkeypatch.setattr(request_rates, "MAX_CLIENTS", 50)
    tried, rates = LoginAttempts(), RequestRates(1.0, 2)
    for number in range(500):
        tried.begin(f"name-{number}", f"address-{number}", 0.0)
        rates.take(f"address-{number}", 0.0)
    assert len(tried._failures) == 50  # pyright: ignore[reportPrivateUsage]
    assert len(rates._buckets) == 50  # pyright: ignore[reportPrivateUsage]


def test_a_client_sends_a_burst_and_then_at_the_rate() -> None:
    rates = RequestRates(10.0, 3)
    assert [rates.take("a", 0.0) for _ in range(4)] == [0.0, 0.0, 0.0, pytest.approx(0.1)]
    assert rates.take("b", 0.0) == 0.0
    assert rates.take("a", 0.1) == 0.0
    assert rates.take("a", 0.1) > 0.0
    assert [rates.take("a", 100.0) for _ in range(4)].count(0.0) == 3


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("fe80::1%eth0", "fe80::/64"),
        ("x" * 100, "x" * 60),
        ("", ""),
    ],
)
def test_a_client_is_its_network(address: str, network: str) -> None:
    assert find_network(address) == network
