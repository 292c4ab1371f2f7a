"""How many requests one client may send: a bucket of tokens each, which fills at a steady rate. Bounded in memory."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

MAX_CLIENTS: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    filled_s: float


class RequestRates:
    """The buckets of all clients; one thread uses it."""

    def __init__(self, rate_per_s: float, burst: int) -> None:
        self._rate_per_s, self._burst = rate_per_s, burst
        self._buckets = OrderedDict[str, _Bucket]()

    def take(self, client: str, now_s: float) -> float:
        """Take one request and return 0; or return in how many seconds there is one."""
        bucket = self._buckets.get(client)
        if bucket is None:
            bucket = self._buckets[client] = _Bucket(float(self._burst), now_s)
            if len(self._buckets) > MAX_CLIENTS:
                self._buckets.popitem(last=False)  # the one that was silent for longest, and is full again most likely
        self._buckets.move_to_end(client)
        bucket.left = min(float(self._burst), bucket.left + (now_s - bucket.filled_s) * self._rate_per_s)
        bucket.filled_s = now_s
        if bucket.left < 1.0:
            return (1.0 - bucket.left) / self._rate_per_s
        bucket.left -= 1.0
        return 0.0


def find_network(address: str) -> str:
    """Return what one client can choose its address from: an IPv4 address, a /64 of IPv6, or the text itself."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:60]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
