"""Waiting for a state to change, for any number of waiters."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable


class Changed:
    """Owned by the thing that changes: it fires, the waiters look again."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def fire(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def until(self, is_so: Callable[[], object], timeout_s: float) -> bool:
        """Whether it became so within ``timeout_s``."""
        end = time.monotonic() + timeout_s
        while not is_so():
            left = end - time.monotonic()
            if left <= 0:
                return False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._event.wait(), left)
        return True
