"""What an app or an image build has printed, as Modal keeps it.

Modal hands out at most 20,000 entries at a time and keeps them 30 days (client 1.6.4, read in its ``_logs.py``
2026-11-25): the newest of them, since a failure stands at the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from preflight.problems import Kind, Problem
from preflight.remote.modal_sdk import as_problems

ENTRIES = 20_000


async def app_log(app_id: str) -> list[bytes]:
    """The newest entries of an app's log, each container's lines together.  Raises Problem."""
    with as_problems(f"read the log of {app_id}"):
        import modal

        app = await modal.App.lookup.aio(app_id)
        return await _by_container(app.logs.tail.aio(ENTRIES))


async def image_log(image_id: str) -> list[bytes]:
    """The newest entries of the log of an image's build, of all its layers, in their order.  Raises Problem."""
    with as_problems(f"read the build log of {image_id}"):
        import modal

        try:
            return await _by_container(modal.Image.from_id(image_id).logs.tail.aio(ENTRIES))
        except ValueError as e:  # the client's own word for an image that no build of this workspace made
            raise Problem(Kind.NOT_FOUND, service="Modal", operation="read a build log", message=str(e)) from e


async def _by_container(entries: AsyncIterator[Any]) -> list[bytes]:
    """Several containers write at once, and each in pieces of a line: told apart, or a traceback has holes."""
    written: dict[str, list[str]] = {}
    async for entry in entries:
        container = entry.context_ids[-1] if entry.context_ids else ""
        written.setdefault(container, []).append(entry.message)
    texts = ("".join(pieces) for pieces in written.values())
    return [(text if text.endswith("\n") else f"{text}\n").encode() for text in texts]
