"""Every reason for which the fleet refuses or flags a message has words in the window."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Final

import edge_bridge
from edge_bridge.fleet.node_quota import REASON
from edge_bridge.fleet.store.records import CONFLICT, OTHER_GROUP
from workbench.window.fleet_page.counters import MEANING

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = Path(str(edge_bridge.__file__)).parent
MOST: Final = 36  # characters that the column shows at 1366 px
TIMES: Final = {f"{clock}_time" for clock in ("future", "past")}


def find_counted() -> Iterator[str]:
    """Yield what the code writes as a reason: of a refused payload, or of a count."""
    for part in ("fleet", "sparkplug"):
        for path in (FOLDER / part).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text())):
                if not isinstance(call, ast.Call) or not call.args:
                    continue
                name = ast.unparse(call.func).rpartition(".")[2]
                if name == "PayloadError":
                    reasons = call.args[:1]
                elif name == "_count":
                    reasons = call.args[1:2]
                elif name == "add" and isinstance(call.args[0], ast.Tuple):
                    reasons = call.args[0].elts[1:]
                else:
                    continue
                yield from (str(one.value) for one in reasons if isinstance(one, ast.Constant))


def test_each_reason_has_words() -> None:
    reasons = {*find_counted(), *TIMES, REASON, OTHER_GROUP, CONFLICT[1]}
    assert {"no_birth", "rebirth_asked", "resend_asked"} <= reasons
    assert sorted(reasons - MEANING.keys()) == []


def test_words_fit_their_column() -> None:
    assert [words for words in MEANING.values() if len(words) > MOST] == []
