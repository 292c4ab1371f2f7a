"""The measurements of `measure NAME`: one module per name, each figure beside a named peer in one run."""
