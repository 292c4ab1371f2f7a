"""The certificate of a certification: its types, and the only encoder and decoder of its JSON."""
