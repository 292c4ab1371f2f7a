"""The whole chain without a person: one module a step, a measured figure and its target for each."""
