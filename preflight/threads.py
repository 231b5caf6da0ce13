"""Blocking calls (boto3) and servers on daemon threads, so that a stuck one can't keep the process alive."""

from __future__ import annotations

import asyncio
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
POLL_S = 0.1  # how often a server looks whether it should stop; Python's 0.5 s is most of a short test


async def in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The call's value or error.  Cancelling the awaiter leaves the thread to end, or not, by itself."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def deliver(value: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(value)  # type: ignore[arg-type]

    def work() -> None:
        value: T | None = None
        failure: BaseException | None = None
        try:
            value = call(*args, **kwargs)
        except BaseException as e:  # noqa: BLE001 - not swallowed: the awaiter gets it
            failure = e
        try:
            loop.call_soon_threadsafe(deliver, value, failure)
        except RuntimeError:  # the loop has closed: nobody waits for this answer any more
            return

    threading.Thread(target=work, daemon=True, name=f"preflight {getattr(call, '__name__', 'call')}").start()
    return await done


@contextmanager
def served(server: socketserver.BaseServer) -> Iterator[None]:
    """It answers while the block runs."""
    thread = threading.Thread(target=server.serve_forever, args=(POLL_S,), daemon=True, name=type(server).__name__)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(2.0)
        server.server_close()
