"""Sparkplug topics of edge nodes, `spBv1.0/{group}/{kind}/{node}` (3.0, 4.1), and of a host's state (4.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edge_bridge.sparkplug.payload import PayloadError

NAMESPACE: Final = "spBv1.0"
STATE: Final = "STATE"
LONGEST: Final = 60
_NAME: Final = re.compile(rf"[A-Za-z0-9._-]{{1,{LONGEST}}}", re.ASCII)


class Kind(StrEnum):
    """What a message of a node is."""

    NBIRTH = "NBIRTH"
    NDATA = "NDATA"
    NDEATH = "NDEATH"
    NCMD = "NCMD"


@dataclass(frozen=True, slots=True)
class Topic:
    """Whose message of which kind; `str` is the topic."""

    group: str
    kind: Kind
    node: str

    def __str__(self) -> str:
        return f"{NAMESPACE}/{named(self.group, 'group')}/{self.kind}/{named(self.node, 'node')}"


def parse(text: str) -> Topic:
    """The topic of a node's message; raises `PayloadError` of kind `topic` for any other."""
    parts = text.split("/")
    if len(parts) != 4 or parts[0] != NAMESPACE or parts[2] not in list(Kind):  # noqa: PLR2004  # the four of the form above
        raise PayloadError("topic", f"{text[:200]!r} is no topic of an edge node", value=text[:200])
    return Topic(named(parts[1], "group"), Kind(parts[2]), named(parts[3], "node"))


def named(name: str, what: str) -> str:
    """`name`, when it can stand in a topic; raises `PayloadError` of kind `topic`."""
    if not _NAME.fullmatch(name):
        words = f"{name[:200]!r} is no name for a {what}: letters, digits, '-', '_', '.', up to {LONGEST}"
        raise PayloadError("topic", words, key=what, value=name[:200], bound=LONGEST)
    return name


def state(host: str) -> str:
    """Where the host application says whether it is there."""
    return f"{NAMESPACE}/{STATE}/{named(host, 'host')}"


def all_of(group: str) -> str:
    """The subscription that hears every message of a group's nodes."""
    return f"{NAMESPACE}/{named(group, 'group')}/+/+"
