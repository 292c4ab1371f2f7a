"""Sparkplug topics of edge nodes, `spBv1.0/{group}/{kind}/{node}` (3.0, 4.1), and of a host's state (4.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from edge_bridge.sparkplug.payload import PayloadError

NAMESPACE: Final = "spBv1.0"
STATE: Final = "STATE"
MAX_NAME: Final = 60
MAX_KNOWN: Final = 20_000  # topics that are remembered: twice the nodes of a fleet
_NAME: Final = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_NAME}}}", re.ASCII)


class MessageKind(StrEnum):
    """The kind of a node's message."""

    NBIRTH = "NBIRTH"
    NDATA = "NDATA"
    NDEATH = "NDEATH"
    NCMD = "NCMD"


_KINDS: Final = frozenset(MessageKind)


@lru_cache(MAX_KNOWN)
def make_topic(group: str, kind: MessageKind, node: str) -> str:
    """Make the topic of a message; raise `PayloadError` for names that a topic cannot contain."""
    return str(Topic(group, kind, node))


@dataclass(frozen=True, slots=True)
class Topic:
    """Group, kind and node of a message; `str` is the topic."""

    group: str
    kind: MessageKind
    node: str

    def __str__(self) -> str:
        return f"{NAMESPACE}/{check_name(self.group, 'group')}/{self.kind}/{check_name(self.node, 'node')}"


def parse_topic(text: str) -> Topic:
    """Parse the topic of a node's message; raise `PayloadError` of kind `topic` for any other."""
    parts = text.split("/")
    if len(parts) != 4 or parts[0] != NAMESPACE or parts[2] not in _KINDS:  # noqa: PLR2004  # the four of the form above
        raise PayloadError("topic", f"{text[:200]!r} is not the topic of an edge node", value=text[:200])
    return Topic(check_name(parts[1], "group"), MessageKind(parts[2]), check_name(parts[3], "node"))


def check_name(name: str, what: str) -> str:
    """Return `name` if a topic can contain it; raise `PayloadError` of kind `topic`."""
    if not _NAME.fullmatch(name):
        words = f"{name[:200]!r} is not a valid {what} name; allowed: letters, digits, '-', '_', '.', up to {MAX_NAME}"
        raise PayloadError("topic", words, key=what, value=name[:200], bound=MAX_NAME)
    return name


def make_state_topic(host: str) -> str:
    """Make the topic of the host application's STATE."""
    return f"{NAMESPACE}/{STATE}/{check_name(host, 'host')}"


def make_group_filters(group: str) -> tuple[str, ...]:
    """Make the subscriptions to every message of a group's nodes; what is sent to them would come back with `+`."""
    check_name(group, "group")
    return tuple(f"{NAMESPACE}/{group}/{kind}/+" for kind in MessageKind if kind is not MessageKind.NCMD)
