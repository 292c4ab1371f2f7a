from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_bridge.sparkplug import topics
from edge_bridge.sparkplug.payload import PayloadError
from edge_bridge.sparkplug.topics import MessageKind, Topic

NAMES = st.from_regex(r"[A-Za-z0-9._-]{1,60}", fullmatch=True)


@given(st.builds(Topic, NAMES, st.sampled_from(list(MessageKind)), NAMES))
def test_parse_is_the_inverse_of_str(topic: Topic) -> None:
    assert topics.parse_topic(str(topic)) == topic


@given(st.text(max_size=100))
def test_any_other_text_is_refused_as_a_topic(text: str) -> None:
    try:
        found = str(topics.parse_topic(text))
    except PayloadError as error:
        found = error.kind
    assert found in {text, "topic"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "spBv1.0/g/NDATA",
        "spBv1.0/g/NDATA/n/device",
        "spAv1.0/g/NDATA/n",
        "spBv1.0/g/DDATA/n",
        "spBv1.0//NDATA/n",
        "spBv1.0/g/NDATA/",
        "spBv1.0/g/NDATA/a+b",
        "spBv1.0/g/NDATA/n\n",
        f"spBv1.0/g/NDATA/{'n' * 61}",
        "spBv1.0/g/NDATA/größe",
    ],
)
def test_a_topic_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(PayloadError) as refused:
        topics.parse_topic(text)
    assert refused.value.kind == "topic"


@pytest.mark.parametrize("name", ["", "a/b", "#", "+", "a b", "n" * 61, "a\x00"])
def test_no_topic_is_made_of_a_bad_name(name: str) -> None:
    for make in (
        lambda: str(Topic("g", MessageKind.NDATA, name)),
        lambda: topics.make_group_filters(name),
        lambda: topics.make_state_topic(name),
    ):
        with pytest.raises(PayloadError):
            make()


def test_a_hosts_state_and_a_groups_messages_have_their_topics() -> None:
    assert topics.make_state_topic("fleet") == "spBv1.0/STATE/fleet"
    wanted = ("spBv1.0/pulsebms/NBIRTH/+", "spBv1.0/pulsebms/NDATA/+", "spBv1.0/pulsebms/NDEATH/+")
    assert topics.make_group_filters("pulsebms") == wanted
