"""The shards of a host, held by leases that it takes, renews and gives back.

A pure state machine beside the table of leases: it says which shards this host serves at this moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from drivers.errors import StoreFailed
from edge_bridge.fleet.store.leases import LEASE_MS, Lease

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from edge_bridge.fleet.shard_choice import ShardChoice
    from edge_bridge.fleet.store.leases import LeaseState

LEASE_S: Final = LEASE_MS / 1000
ACT_S: Final = 0.9 * LEASE_S  # after the request for the lease; its end on the database's clock is later in any case
RENEW_S: Final = LEASE_S / 3
LOOK_S: Final = 1.0  # between two looks for shards that nobody holds


class Leases(Protocol):
    """The table of leases; each method raises `StoreFailed`."""

    def read(self) -> Mapping[int, LeaseState]: ...
    def renew(self, shards: Collection[int]) -> set[int]: ...
    def take(self, seen: Lease) -> Lease | None: ...
    def want(self, shard: int) -> None: ...
    def release(self, lease: Lease) -> None: ...


class ShardHolder:
    """The leases of one host; times in s of a monotonic clock."""

    def __init__(self, leases: Leases, choice: ShardChoice) -> None:
        self._leases, self._choice = leases, choice
        self._until_s = dict[int, float]()  # by shard: until then this host may act
        self._renew_s = self._look_s = float("-inf")
        self.held = dict[int, Lease]()
        self._wanted = list[int]()
        self.trouble = ""

    def drop_expired(self, now_s: float) -> list[int]:
        """Drop the shards for which this host may act no more; return them. Asks nobody, so it is never late."""
        ended = [shard for shard, until_s in self._until_s.items() if now_s >= until_s]
        for shard in ended:
            self._drop(shard)
        return ended

    def update(self, now_s: float) -> list[Lease]:
        """Renew and take leases; `now_s` was read before. Return those that are new: `drop_expired` names the lost."""
        taken = list[Lease]()
        try:
            if self.held and now_s >= self._renew_s:
                renewed = self._leases.renew(self.held)
                self._renew_s = now_s + RENEW_S
                for shard in self.held:
                    self._until_s[shard] = now_s + ACT_S if shard in renewed else float("-inf")
            if now_s >= self._look_s:
                self._look_s = now_s + LOOK_S
                taken = self._look(now_s)
        except StoreFailed as error:
            self.trouble = f"leases cannot be renewed: {error.what}"
            self._look_s = now_s + LOOK_S
        else:
            self.trouble = ""
        return taken

    def find_wanted(self) -> list[int]:
        """Return the shards of other hosts that they ask for, as of the last look."""
        return [shard for shard in self._wanted if shard in self.held]

    def release(self, shard: int) -> None:
        """Give a shard free, after all of it was committed; a lease that cannot be given free runs out."""
        lease = self.held.get(shard)
        self._drop(shard)
        if lease is not None:
            try:
                self._leases.release(lease)
            except StoreFailed as error:
                self.trouble = f"a lease cannot be released: {error.what}"

    def _look(self, now_s: float) -> list[Lease]:
        found, own, taken = self._leases.read(), self._choice.preferred, list[Lease]()
        self._wanted = [shard for shard, state in found.items() if state.is_wanted and shard != own]
        for shard, state in sorted(found.items(), key=lambda item: item[0] != own):
            is_free = state.is_free or (shard == own and not state.lease.holder)
            if shard in self.held or not is_free or (shard != own and state.is_wanted):
                continue
            lease = self._leases.take(state.lease)
            if lease is not None:
                self.held[shard], self._until_s[shard] = lease, now_s + ACT_S
                taken.append(lease)
        if own not in self.held:
            self._leases.want(own)
        return taken

    def _drop(self, shard: int) -> None:
        self.held.pop(shard, None)
        self._until_s.pop(shard, None)
