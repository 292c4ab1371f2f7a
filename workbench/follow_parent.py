"""End with the parent: a child whose stdin is a pipe from its parent sees that pipe end when the parent is killed."""

from __future__ import annotations

import os
import signal
import stat
import threading
import time
from typing import Final

END_S: Final = 30.0
STATUS: Final = 1
_STDIN: Final = 0


def follow_parent() -> None:
    """End this process in order when its stdin ends, if that is a pipe; end it hard if it takes more than `END_S`."""
    if stat.S_ISFIFO(os.fstat(_STDIN).st_mode):
        threading.Thread(target=_follow, name="parent", daemon=True).start()


def _follow() -> None:
    while os.read(_STDIN, 1):  # not through the buffer, whose lock would abort an interpreter that ends first
        pass
    if hasattr(signal, "pthread_kill"):  # to the main thread, whose wait it ends
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    else:
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(END_S)
    os._exit(STATUS)
