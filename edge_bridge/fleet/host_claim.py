"""The claim of a host to its id: it goes online only if no other host with the same id is online."""

from __future__ import annotations

from typing import Final

from drivers.errors import OtherHostOnline

QUIET_S: Final = 0.5  # a broker sends the retained STATE of another host well within this time
LEAVE_S: Final = 10.0  # a host that was killed is reported offline by its will, at the latest after 1.5 keep-alives


class HostClaim:
    """The claim, updated with the STATE messages of the id; times in s of a monotonic clock."""

    def __init__(self, host: str, *, take_over: bool) -> None:
        self._host, self._take_over = host, take_over
        self._since_s: float | None = None
        self._other_s: float | None = None  # since when another host is known to be online
        self.is_held = False

    @property
    def is_waiting(self) -> bool:
        """Return whether another host is online, which may still leave."""
        return self._other_s is not None and not self.is_held

    def handle_connected(self, now_s: float) -> None:
        self._since_s, self._other_s = now_s, None

    def handle_disconnected(self) -> None:
        self._since_s = self._other_s = None

    def handle_state(self, now_s: float, *, online: bool) -> None:
        """Handle a STATE that is not this host's own."""
        if not online:
            self._other_s = None
        elif self._other_s is None:
            self._other_s = now_s

    def update(self, now_s: float) -> bool:
        """Return whether the claim is held from now on; raise `OtherHostOnline` if another host does not leave."""
        if self._since_s is None or self.is_held:
            return False
        if self._other_s is not None and not self._take_over:
            if now_s - self._other_s < LEAVE_S:
                return False
            what = f"another fleet with the host id {self._host} is online at this broker"
            hint = "stop it; or, if it does not run any more, add --take-over"
            raise OtherHostOnline(what, key="host", value=self._host, hint=hint)
        self.is_held = self._take_over or now_s - self._since_s >= QUIET_S
        return self.is_held
