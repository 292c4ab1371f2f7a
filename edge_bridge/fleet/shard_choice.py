"""Which groups belong to which shard: by the SHA-256 of their names."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.errors import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_SHARDS: Final = 1_000
_SHARD: Final = re.compile(r"([0-9]{1,4})/([0-9]{1,4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ShardChoice:
    """The shard that a host prefers, from 0, and the number of shards."""

    preferred: int
    count: int


def parse_shard(words: str) -> ShardChoice:
    """Parse `I/N`, I from 1 to N; raise `Usage`."""
    match = _SHARD.fullmatch(words)
    number, count = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= number <= count <= MAX_SHARDS:
        hint = "write for instance 2/3 for the second host of three"
        raise Usage(f"{words!r} names no shard", key="shard", value=words, bound=MAX_SHARDS, hint=hint)
    return ShardChoice(number - 1, count)


def find_shard(group: str, count: int) -> int:
    """Return the shard of a group, from 0: the same at every host and for all time."""
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:8]) % count


def choose_groups(groups: Iterable[str], shard: int, count: int) -> tuple[str, ...]:
    """Return the groups of a shard."""
    return tuple(group for group in groups if find_shard(group, count) == shard)
