"""What went over the wire to Modal: each RPC's status, the fields that came, the error's text, the time.  No value."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rpc:
    """``fields`` are the names of those that came, like ``items[].name``; ``error`` is Modal's own text."""

    name: str
    status: str  # gRPC's, or the kind of exception where no status came
    seconds: float
    fields: tuple[str, ...] = ()
    error: str = ""


@contextlib.contextmanager
def observed() -> Iterator[list[Rpc]]:
    """Every unary RPC that this process sends meanwhile, retries too, in the order in which they end."""
    from grpclib import GRPCError
    from grpclib.client import UnaryUnaryMethod

    rpcs: list[Rpc] = []
    send = UnaryUnaryMethod.__call__

    async def sent(method: Any, message: Any, **options: Any) -> Any:
        name, began = method.name.rpartition("/")[2], time.monotonic()
        try:
            answer = await send(method, message, **options)
        except BaseException as e:
            status, text = (e.status.name, e.message) if isinstance(e, GRPCError) else (type(e).__name__, str(e))
            rpcs.append(Rpc(name, status, time.monotonic() - began, error=text or ""))
            raise
        rpcs.append(Rpc(name, "OK", time.monotonic() - began, tuple(dict.fromkeys(present(answer)))))
        return answer

    UnaryUnaryMethod.__call__ = sent  # type: ignore[method-assign, assignment]
    try:
        yield rpcs
    finally:
        UnaryUnaryMethod.__call__ = send  # type: ignore[method-assign]


def present(message: Any, prefix: str = "") -> Iterator[str]:
    """The names of a protobuf message's fields that are set, with the length of those that repeat."""
    for field, value in message.ListFields():
        name, kind = f"{prefix}{field.name}", field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            yield f"{name}{{{len(value)}}}"  # its keys are the user's
        elif field.is_repeated:
            yield f"{name}[{len(value)}]"
            for each in value if kind is not None else ():
                yield from present(each, f"{name}[].")
        else:
            yield name
            if kind is not None:
                yield from present(value, f"{name}.")
