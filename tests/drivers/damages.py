"""What a power cut or a tired disk leaves in the place of a JSON state file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

FOLDER: Final = "folder"
LINK: Final = "link to nothing"
DAMAGES: Final = {
    "empty": b"",
    "zeros": b"\0" * 64,
    "no text": b"\xff\xfe\x00",
    "null": b"null",
    "list": b"[]",
    "number": b"7",
    "other names": b'{"something": "else"}',
    "NaN": b'{"reason": NaN, "bdSeq": NaN, "sha256": NaN}',
    "nested": b"[" * 100_000,
    "torn": None,
    FOLDER: None,
    LINK: None,
}


def damage(path: Path, how: str, whole: bytes = b'{"reason": "cell_07"}') -> None:
    """Leave `path` so; `whole` is what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    data = DAMAGES[how]
    if how == FOLDER:
        path.mkdir()
    elif how == LINK:
        path.symlink_to(path.with_name("nowhere"))
    else:
        path.write_bytes(whole[: len(whole) // 2] if data is None else data)
