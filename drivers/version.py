"""The version, defined only here: the wheel, `--version`, runs, certificates and the documentation read it here."""

from typing import Final

VERSION: Final = "0.1.0"
