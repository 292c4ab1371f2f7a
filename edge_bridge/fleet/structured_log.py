"""The log of a fleet host: lines of text or JSON objects, never with a secret.

A field that was bound with `structlog.contextvars`, for instance the id of a request, is in every line of its thread
or task.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any, Final

import structlog
from structlog.contextvars import merge_contextvars
from structlog.processors import JSONRenderer, TimeStamper, add_log_level

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

HIDDEN: Final = "***"
_SECRET: Final = re.compile(r"password|passwd|secret|token|authorization|cookie|private_key|pgpass", re.IGNORECASE)
_IN_URL: Final = re.compile(r"(://[^\s:/@]*:)[^\s@]+(@)")
_IN_TEXT: Final = re.compile(
    r"\b(bearer|basic|password|passwd|token|secret)(\s*[=:]\s*|\s+)(?=\S*[\d=])\S+", re.IGNORECASE
)


def hide_secrets(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide the fields whose names tell of a secret, and what looks like one in texts."""
    return {name: _hide(name, value) for name, value in fields.items()}


def hide_in_text(text: str) -> str:
    """Hide the password of a URL, and what follows the name of a secret."""
    return _IN_TEXT.sub(rf"\1\2{HIDDEN}", _IN_URL.sub(rf"\1{HIDDEN}\2", text))


class FleetLog:
    """A log whose lines go through one function; any thread may write."""

    def __init__(self, write: Callable[[str], None], *, as_json: bool) -> None:
        self._write, self._lock, self.is_json = write, threading.Lock(), as_json
        stamps = [add_log_level, TimeStamper(fmt="iso", utc=True, key="time")] if as_json else []
        render = JSONRenderer(default=str) if as_json else _render_text
        self._logger: Any = structlog.wrap_logger(
            self,
            processors=[merge_contextvars, *stamps, hide_secrets, render],
            wrapper_class=structlog.make_filtering_bound_logger(0),
            cache_logger_on_first_use=False,
        )

    def line(self, text: str) -> None:
        """Write a line for people; in JSON its words are the event."""
        self._logger.info(text.strip())

    def event(self, name: str, **fields: Any) -> None:
        """Write an event with its fields."""
        self._logger.info(name, **fields)

    def failure(self, name: str, **fields: Any) -> None:
        """Write an event that somebody should look at."""
        self._logger.error(name, **fields)

    def info(self, rendered: str) -> None:
        """Take a line that structlog has rendered."""
        with self._lock:
            self._write(rendered)

    error = info


def _hide(name: str, value: Any) -> Any:
    if _SECRET.search(name):
        return HIDDEN
    if isinstance(value, str):
        return hide_in_text(value)
    if isinstance(value, dict):
        return {str(key): _hide(str(key), inner) for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return [_hide(name, inner) for inner in value] if isinstance(value, list | tuple) else value  # pyright: ignore[reportUnknownVariableType]


def _render_text(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> str:
    event = fields.pop("event")
    return " ".join([str(event), *(f"{name}={value}" for name, value in fields.items())])
