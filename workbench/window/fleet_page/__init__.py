"""The Fleet page: the packs in the field, what they run, what they say, and a bundle on its way to one."""
