"""The acceptance run of the whole chain, without a person: each step gives a measured value and its target."""
