"""The fleet: the Sparkplug host, its row store and the transfer of bundles to nodes."""
