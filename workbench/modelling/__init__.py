"""What the verbs on logs and the pages Twin and Health do with a log and a cell, without a terminal or a window."""
