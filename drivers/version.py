"""The version, defined only here: the wheel, `--version`, runs, certificates and the documentation read it here."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

VERSION: Final = "0.1.0"


def find_version(distribution: str) -> str | None:
    """Return the version of another distribution; None if it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
