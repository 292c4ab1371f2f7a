"""Frames that were refused or only partly readable: counted for each message, and reported while they are recent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

GARBAGE_IN_A_ROW: Final = 5


@dataclass
class MessageDoubt:
    """Errors of one message: refused frames in a row, all odd frames, the reason, and until when it is reported."""

    in_a_row: int = 0
    count: int = 0
    why: str = ""
    until_s: float = float("-inf")


@dataclass
class FrameErrors:
    """Frame errors by message; an error of one message does not affect the others."""

    of: dict[str, MessageDoubt] = field(default_factory=dict[str, MessageDoubt])

    def refuse(self, name: str, why: str, until_s: float) -> None:
        """Note that a frame of `name` was refused."""
        doubt = self.of.setdefault(name, MessageDoubt())
        doubt.in_a_row += 1
        self._note(doubt, f"arrives with {why}; check that the DBC is right", until_s)

    def pass_over(self, name: str, why: str, until_s: float) -> None:
        """Note that a frame of `name` was accepted, but something in it cannot be read."""
        self._note(self.of.setdefault(name, MessageDoubt()), f"arrives with {why}", until_s)

    def accept(self, name: str) -> None:
        """Note that a frame of `name` was accepted: earlier refused frames were chance."""
        if (doubt := self.of.get(name)) is not None and doubt.in_a_row:
            doubt.in_a_row, doubt.until_s = 0, float("-inf")

    def refused(self, now_s: float) -> str:
        """Return a sentence about the message of which all recent frames were refused; empty if there is none."""
        return next(
            (
                self._sentence(name, doubt)
                for name, doubt in list(self.of.items())
                if doubt.in_a_row >= GARBAGE_IN_A_ROW and now_s <= doubt.until_s
            ),
            "",
        )

    def news(self, now_s: float) -> str:
        """Return all present errors as sentences, empty for none. The text changes only when a count grows tenfold."""
        sentences = [
            self._sentence(name, doubt)
            for name, doubt in list(self.of.items())
            if now_s <= doubt.until_s and (not doubt.in_a_row or doubt.in_a_row >= GARBAGE_IN_A_ROW)
        ]
        return ". ".join(sentences)

    @staticmethod
    def _note(doubt: MessageDoubt, why: str, until_s: float) -> None:
        doubt.count += 1
        doubt.why, doubt.until_s = why, until_s

    @staticmethod
    def _sentence(name: str, doubt: MessageDoubt) -> str:
        return f"{name} {doubt.why} ({_times(doubt.count)})"


def _times(count: int) -> str:
    """Return `once`, or the power of ten that `count` has reached, so that the text changes rarely."""
    if count == 1:
        return "once"
    return f"{10 ** (len(str(count)) - 1)} times or more" if count >= 10 else "a few times"  # noqa: PLR2004  # the text says ten
