"""The certificate of a certification: its types, and the one writer and the one reader of its JSON."""
