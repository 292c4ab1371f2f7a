"""What a client may ask for: JSON messages, checked before anything else happens."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from drivers.errors import Usage

MAX_MESSAGE: Final = 64 << 10  # bytes
MAX_DEVICES: Final = 2_000  # named one by one
MAX_RATE_HZ: Final = 100.0
_SHOWN: Final = 80  # characters of a wrong value

Name = Annotated[str, Field(min_length=1, max_length=200)]


class _LiveModel(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class DeviceScope(_LiveModel):
    """The devices of a site or of a group, as they are when the client subscribes."""

    site: Name | None = None
    group: Name | None = None


class SubscribeRequest(_LiveModel):
    """Send the events of these devices from now on, or from a cursor; the same `id` replaces a subscription."""

    type: Literal["subscribe"]
    id: Annotated[str, Field(min_length=1, max_length=64)]
    devices: Literal["all"] | Annotated[list[Name], Field(min_length=1, max_length=MAX_DEVICES)] | DeviceScope = "all"
    metrics: Annotated[list[Name], Field(max_length=64)] | None = None
    max_rate_hz: Annotated[float, Field(gt=0.0, le=MAX_RATE_HZ, allow_inf_nan=False)] | None = None
    from_cursor: Annotated[str, Field(max_length=40)] | None = None
    overview: bool = False


class UnsubscribeRequest(_LiveModel):
    """Send no more events of a subscription."""

    type: Literal["unsubscribe"]
    id: Annotated[str, Field(min_length=1, max_length=64)]


class PingRequest(_LiveModel):
    """Answer with a heartbeat."""

    type: Literal["ping"]


LiveRequest = SubscribeRequest | UnsubscribeRequest | PingRequest
_REQUEST: Final = TypeAdapter[LiveRequest](Annotated[LiveRequest, Field(discriminator="type")])


def parse_request(text: str) -> LiveRequest:
    """Parse one message of a client; raise `Usage`."""
    size = len(text)
    if size > MAX_MESSAGE:
        raise Usage("a message is too long", key="message", value=size, bound=MAX_MESSAGE, hint="name fewer devices")
    try:
        return _REQUEST.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "message"
        value = str(first["input"])[:_SHOWN]
        hint = 'send {"type": "subscribe", "id": "1", "devices": "all"}'
        raise Usage(first["msg"], key=key, value=value, hint=hint) from error
