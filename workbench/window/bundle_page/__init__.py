"""The Bundle page: from a recorded run to a signed configuration, and what any bundle is worth."""
