"""PulseBMS Workbench: python main.py VERB."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

if __name__ == "__main__":
    from workbench.cli import main

    sys.exit(main())
