"""A status made from a row is the dictionary that it would be, and tells whether more than measured values changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from edge_bridge import metrics
from edge_bridge.fleet.events import WATCHED
from edge_bridge.fleet.live.news import NEWS
from edge_bridge.fleet.node_state import STATUS, NodeState
from edge_bridge.fleet.row_status import TOLD, RowStatus, StatusNames, copy_status, read_told, tells_the_same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.metrics import Scalar

_SOME = StatusNames((metrics.SHA256, metrics.SOC))
_OTHERS = StatusNames((metrics.SOC, metrics.CURRENT, metrics.BMS_FAULT))
_values = st.one_of(st.none(), st.integers(0, 2), st.sampled_from(["a", "b"]))
_steps = st.one_of(
    st.tuples(st.just(_SOME), st.tuples(_values, _values)),
    st.tuples(st.just(_OTHERS), st.tuples(_values, _values, _values)),
    st.tuples(st.none(), st.dictionaries(st.sampled_from(STATUS), _values, max_size=3)),
)


@given(st.lists(_steps, max_size=12))
def test_a_status_is_the_dictionary_of_all_that_was_told(steps: list[tuple[StatusNames | None, object]]) -> None:
    node, expected = NodeState("pack-1"), dict[str, "Scalar"]()
    for names, values in steps:
        before = node.status
        if names is None:
            told: dict[str, Scalar] = dict(values)  # type: ignore[call-overload]  # drawn so
            node.update_status(told)
        else:
            node.update_from_row(names, values)  # type: ignore[arg-type]  # drawn so
            told = dict(zip(names.places, values, strict=True))  # type: ignore[call-overload]
        expected |= told
        _check(node.status, expected)
        if tells_the_same(before, node.status):
            assert read_told(before) == read_told(node.status)


def _check(status: Mapping[str, Scalar], expected: dict[str, Scalar]) -> None:
    assert status == expected
    assert copy_status(status) == expected
    assert dict(status) == expected
    assert len(status) == len(expected)
    assert [status.get(name, "-") for name in STATUS] == [expected.get(name, "-") for name in STATUS]
    assert read_told(status) == tuple(expected.get(name) for name in TOLD)


def test_measured_values_alone_tell_nothing_and_a_bundle_does() -> None:
    first = RowStatus({}, _SOME, ("a", 0.5))
    measured, told = RowStatus(first, _SOME, ("a", 0.6)), RowStatus(first, _SOME, ("b", 0.5))
    assert tells_the_same(first, measured)
    assert not tells_the_same(first, told)
    assert measured == {metrics.SHA256: "a", metrics.SOC: 0.6}


def test_all_that_is_news_or_an_event_is_among_what_is_told() -> None:
    assert {*NEWS, *WATCHED} <= {*TOLD}
