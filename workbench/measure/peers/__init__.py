"""The peers that are not packages of their own: the usual alternatives, written as plainly as others write them."""
