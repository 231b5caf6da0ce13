"""Signals that end this process: SIGTERM and SIGHUP as Ctrl-C does.

A signal that it was started to ignore (nohup) stays ignored.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

NUMBERS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def _interrupt(number: int, frame: FrameType | None) -> None:
    OURS.has_come = True
    raise KeyboardInterrupt


class Interrupts:
    def __init__(self) -> None:
        self._before = {number: signal.getsignal(number) for number in NUMBERS}
        self.has_come = False  # one that ends us; asyncio takes SIGINT itself
        self._is_our_process = False  # a program or a test that only imports us keeps its signals

    @property
    def numbers(self) -> tuple[signal.Signals, ...]:
        """Those that are not ignored."""
        return tuple(signal.Signals(n) for n, before in self._before.items() if before is not signal.SIG_IGN)

    def raise_all(self) -> None:
        self._is_our_process = True
        for number in self.numbers:  # asyncio makes a cancellation of SIGINT only where its handler is Python's own
            self._set(number, signal.default_int_handler if number is signal.SIGINT else _interrupt)

    def ignore_all(self) -> None:
        """From here on what is written is whole: the end is near."""
        if self._is_our_process:
            for number in self.numbers:
                self._set(number, signal.SIG_IGN)

    def restore(self) -> None:
        """As they were, before this process becomes another."""
        for number, before in self._before.items() if self._is_our_process else ():
            self._set(number, before if before is not None else signal.SIG_DFL)

    def _set(self, number: int, handler: Callable[[int, FrameType | None], object] | int | signal.Handlers) -> None:
        try:
            signal.signal(number, handler)
        except ValueError:  # not the main thread: a test, or a program that embeds us
            return


OURS = Interrupts()
