"""The load of `measure fleet`: very many devices in one process, a subscriber, and the parts that are killed."""
