"""What `measure NAME` measures: one module a name, each figure beside a named peer in one run."""
