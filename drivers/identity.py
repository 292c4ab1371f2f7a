"""Who an instrument is: the model field of its reply to `*IDN?`, whatever stands around it."""

from __future__ import annotations


def model(identity: str) -> str:
    """The second of the comma-separated fields, trimmed; the whole text where there is one field alone.

    Makers write their own name in several ways and put a space behind the comma or not (EA guide EN_01, 5.3.1).
    """
    fields = identity.split(",")
    return fields[min(1, len(fields) - 1)].strip()


def has_model(identity: str, expect: str) -> bool:
    """Whether `identity` is of the model that `expect` names: `maker, model` or `model`; a maker alone takes any."""
    maker_alone = "," not in expect and identity.strip().startswith(expect.strip())
    return maker_alone or model(identity).startswith(model(expect))
