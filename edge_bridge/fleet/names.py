"""Names of groups, hosts and nodes, and the words about a name that is wrong."""

from __future__ import annotations

from drivers.errors import Usage
from edge_bridge.sparkplug import topics
from edge_bridge.sparkplug.payload import PayloadError


def check_name(name: str, what: str) -> None:
    """Raise `Usage` for a name that Sparkplug does not allow; `what`: the option that gives it."""
    try:
        topics.check_name(name, what)
    except PayloadError as error:
        raise Usage(error.what, key=what, value=name, hint="choose another name") from error


def make_unknown_node_error(node: str, known: list[str]) -> Usage:
    """Make the error for a node that has never sent a message."""
    hint = f"known nodes: {', '.join(known)}" if known else "start an edge first"
    return Usage(f"no message of a node {node} has been received", key="to", value=node, bound=known, hint=hint)
