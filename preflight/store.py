"""Files that are there whole or not at all, whatever ends this process while it writes them."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_whole(file: Path, content: bytes, *, replaces: bool = True, mode: int = 0o600) -> None:
    """Readable by its owner alone without another mode; folders that are missing are made.  Raises OSError.

    Without ``replaces`` the first of several writers wins, and the others' content is dropped.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, part = tempfile.mkstemp(dir=file.parent, prefix=".preflight-", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
        Path(part).chmod(mode)
        if replaces:
            Path(part).replace(file)
        else:
            with contextlib.suppress(FileExistsError):
                os.link(part, file)
    finally:
        Path(part).unlink(missing_ok=True)
