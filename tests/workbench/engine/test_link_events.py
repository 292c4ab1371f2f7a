"""What is told of the wires, and what is not."""

from __future__ import annotations

from drivers.event import Event, Level
from drivers.ports import Health, LinkState
from workbench.engine.link_events import LinkEvents


def told(*states: tuple[LinkState, str]) -> list[Event]:
    """The news of the last state of a supply that went through all of them."""
    news = LinkEvents()
    said: list[Event] = []
    for state, detail in states:
        said = news.take_changes([Health("supply", state, detail)])
    return said


def test_coming_up_is_no_news() -> None:
    assert told((LinkState.CONNECTING, ""), (LinkState.OK, "")) == []


def test_a_wire_that_stays_as_it_is_is_told_once() -> None:
    assert told((LinkState.OK, ""), (LinkState.SILENT, "no answer"), (LinkState.SILENT, "no answer")) == []


def test_a_wire_that_fails_is_a_warning_with_its_reason() -> None:
    said = told((LinkState.OK, ""), (LinkState.SILENT, "no answer within 250 ms"))
    assert said == [Event(Level.WARNING, "supply", "silent: no answer within 250 ms")]


def test_a_supply_that_answers_but_disobeys_is_a_warning() -> None:
    said = told((LinkState.OK, ""), (LinkState.OK, "does not take its set-points"))
    assert said == [Event(Level.WARNING, "supply", "does not take its set-points")]


def test_a_wire_that_comes_back_is_said_to() -> None:
    well = [Event(Level.INFO, "supply", "works again")]
    assert told((LinkState.OK, ""), (LinkState.DROPPED, "closed"), (LinkState.OK, "")) == well
    assert told((LinkState.OK, "at the panel"), (LinkState.OK, "")) == well


def test_what_was_switched_off_on_purpose_comes_up_as_if_for_the_first_time() -> None:
    news = LinkEvents()
    news.take_changes([Health("dut", LinkState.OK)])
    news.forget("dut")
    assert news.take_changes([Health("dut", LinkState.SILENT, "check its power.")]) == []
    assert news.take_changes([Health("dut", LinkState.OK)]) == []
