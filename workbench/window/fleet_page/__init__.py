"""The Fleet page: the packs in the field, what they run and report, and the transfer of a bundle to one."""
