"""Options that verbs of a fleet share: its database, its metrics, how long rows stay."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

_UsageError: Any = typer.BadParameter.__base__  # typer has no public name for it
StoreUrl = Annotated[
    str, typer.Option("--store", metavar="URL", help="Database of the fleet.  [required, or --db]", show_default=False)
]
DatabaseFile = Annotated[
    Path | None, typer.Option("--db", metavar="FILE", help="The same as --store sqlite:///FILE.", show_default=False)
]
KeepRawDays = Annotated[
    int, typer.Option(min=1, metavar="DAYS", help="Days that rows stay in the database, if there is an archive.")
]
KeepRollupDays = Annotated[
    int, typer.Option(min=0, metavar="DAYS", help="Days that roll-ups by minute and hour stay; 0: for ever.")
]
MetricsAddress = Annotated[
    str,
    typer.Option(
        "--metrics",
        metavar="[HOST:]PORT",
        help="Serve metrics for Prometheus here; HOST: 127.0.0.1.",
        show_default=False,
    ),
]


def choose_store(context: typer.Context, store: str, db: Path | None) -> Path | str:
    """Return the database that one of the two options names."""
    if store and db is not None:
        raise _UsageError("Give '--store' or '--db', not both.", ctx=context)
    if not store and db is None:
        raise _UsageError("Missing option '--store' or '--db'.", ctx=context)
    return store or db or Path()
