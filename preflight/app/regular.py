"""Files read in bounds: a FIFO or a device at a path would block for ever, or never end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

LONGEST_BYTES = 5_000_000  # of an app's file


def content_of(file: Path, most: int) -> bytes:
    """At most ``most`` + 1 bytes of a regular file.  Raises OSError, for anything else too."""
    handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(handle, "rb") as opened:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(file))
        return opened.read(most + 1)
