"""The identity of an instrument: the model field of its reply to `*IDN?`, independent of the other fields."""

from __future__ import annotations


def model(identity: str) -> str:
    """Return the second of the comma-separated fields, trimmed; the whole text if there is only one field.

    Makers write their own name in several ways, and with or without a space after the comma (EA guide EN_01, 5.3.1).
    """
    fields = identity.split(",")
    return fields[min(1, len(fields) - 1)].strip()


def has_model(identity: str, expect: str) -> bool:
    """Return whether `identity` has the model of `expect` (`maker, model` or `model`); a maker alone accepts any."""
    maker_alone = "," not in expect and identity.strip().startswith(expect.strip())
    return maker_alone or model(identity).startswith(model(expect))
