"""Pages that come later: what they will contain, and the actions of their buttons."""

from __future__ import annotations

from typing import Final

# a page has sentences, and buttons with the action that each runs
COMING: Final[dict[str, tuple[tuple[str, ...], tuple[tuple[str, str], ...]]]] = {
    "Twin": (
        (
            "This page will fit a twin to a log and compare the two: parameters, residuals, health.",
            "Until then every twin runs as a lane beside the others, and the Bench page compares them.",
        ),
        (("Compare twins on the bench", "page Bench"), ("Open a recorded run", "page Runs")),
    ),
}
