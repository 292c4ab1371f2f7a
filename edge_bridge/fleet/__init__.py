"""Where packs meet: the Sparkplug host, its store, sending bundles."""
