"""Requests wait in order; one that its client has withdrawn is never begun."""

from __future__ import annotations

from workbench.engine.request_queue import RequestQueue
from workbench.session.messages import Request


def test_requests_come_in_order() -> None:
    requests = RequestQueue()
    for number in (1, 2):
        requests.put(Request(number, "arm"))
    assert [requests.take().number, requests.take().number] == [1, 2]


def test_a_withdrawn_request_is_left_out_once() -> None:
    requests = RequestQueue()
    for number in (1, 2, 3):
        requests.put(Request(number, "inject"))
    requests.withdraw(2)
    assert [requests.take().number, requests.take().number] == [1, 3]


def test_a_request_that_has_begun_is_not_taken_back() -> None:
    requests = RequestQueue()
    requests.put(Request(1, "inject"))
    assert requests.take().number == 1
    requests.withdraw(1)
    requests.put(Request(2, "inject"))
    assert requests.take().number == 2
