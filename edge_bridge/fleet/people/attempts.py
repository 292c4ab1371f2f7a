"""How often somebody may try to sign in: after some failures each further one doubles the wait. Bounded in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

MAX_KEYS: Final = 10_000
FREE_FAILURES: Final = 5
FIRST_WAIT_S: Final = 1.0
FORGET_S: Final = 3_600.0  # without a failure
MAX_WAIT_S: Final[dict[str, float]] = {
    "address": 900.0,
    "account": 60.0,  # short, since a stranger can lock out a person whose name is known
}


@dataclass(slots=True)
class _Failures:
    count: int = 0
    newest_s: float = 0.0


class LoginAttempts:
    """The failures by account and by address; any thread may ask. Whether an account exists plays no part."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = OrderedDict[tuple[str, str], _Failures]()

    def begin(self, account: str, address: str, now_s: float) -> float:
        """Count an attempt as failed in advance and return 0; or return how many seconds there are to wait.

        It counts in advance so that many attempts at once are no way around.
        """
        keys = (("account", account), ("address", address))
        with self._lock:
            wait_s = max(self._find_wait(key, now_s) for key in keys)
            if wait_s > 0.0:
                return wait_s
            for key in keys:
                failures = self._failures.setdefault(key, _Failures())
                failures.count += 1
                failures.newest_s = now_s
                self._failures.move_to_end(key)
            while len(self._failures) > MAX_KEYS:
                self._failures.popitem(last=False)
            return 0.0

    def clear(self, account: str, address: str) -> None:
        """Forget the failures of an account, and take the last one of the address back: the password was right.

        An address keeps its other failures: an attacker with one account must not clear its way to the others.
        """
        with self._lock:
            self._failures.pop(("account", account), None)
            failures = self._failures.get(("address", address))
            if failures is not None:
                failures.count -= 1

    def _find_wait(self, key: tuple[str, str], now_s: float) -> float:
        failures = self._failures.get(key)
        if failures is None:
            return 0.0
        if now_s - failures.newest_s > FORGET_S:
            del self._failures[key]
            return 0.0
        excess = failures.count - FREE_FAILURES
        if excess < 0:
            return 0.0
        pause_s = min(FIRST_WAIT_S * 2.0 ** min(excess, 20), MAX_WAIT_S[key[0]])
        return max(0.0, failures.newest_s + pause_s - now_s)
