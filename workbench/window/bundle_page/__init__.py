"""The Bundle page: build a signed configuration from a recorded run, and verify any bundle."""
