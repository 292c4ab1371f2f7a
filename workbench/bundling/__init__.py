"""From a run to a bundle: what was proven is gathered, golden vectors are recorded, the whole is signed."""
