"""What others would do instead, written as plainly as they would: the peers that are no package of their own."""
