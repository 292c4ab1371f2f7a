"""What one host of several cannot do is said in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from drivers.errors import Usage
from edge_bridge.fleet.shard_choice import ShardChoice
from workbench.compose.fleet_shards import choose_shard

SERVER = make_url("postgresql://host/fleet")


@pytest.mark.parametrize(
    ("address", "options", "key", "words"),
    [
        (Path("fleet.db"), {}, "shard", "need a PostgreSQL server"),
        (SERVER, {"defect": "double-row"}, "shard", "need a PostgreSQL server"),
        (SERVER, {"archive": Path("archive")}, "archive", "the hosts of shards have no archive"),
    ],
)
def test_shards_refuse_what_belongs_to_one_machine(address: Any, options: dict[str, Any], key: str, words: str) -> None:
    asked: dict[str, Any] = {"archive": None, "defect": "", **options}
    with pytest.raises(Usage, match=words) as refused:
        choose_shard("1/3", address, **asked)
    assert refused.value.key == key


def test_shards_on_a_server_are_allowed() -> None:
    assert choose_shard("2/3", SERVER, archive=None, defect="") == ShardChoice(1, 3)
    assert choose_shard("", Path("fleet.db"), archive=Path("archive"), defect="") is None
