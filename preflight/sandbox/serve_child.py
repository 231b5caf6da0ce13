"""The process behind ``serve.start``: ``python -m preflight.sandbox.serve_child SCENARIO FOLDER``.

Says one JSON line on standard output when both servers listen, and ends on SIGTERM, SIGINT or the end of its
standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from preflight.sandbox import state, worlds
from preflight.sandbox.control_plane.plane import Folders, Plane
from preflight.sandbox.control_plane.server import listening
from preflight.sandbox.serve import sockets_in


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m preflight.sandbox.serve_child")
    parser.add_argument("scenario")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keep", action="store_true", help="leave the folder when the sandbox ends")
    parser.add_argument("--record", type=Path)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        asyncio.run(serve(worlds.load(options.scenario), options.folder, options.record))
    finally:
        if not options.keep:
            shutil.rmtree(options.folder, ignore_errors=True)
    return 0


async def serve(scenario: state.Scenario, folder: Path, record: Path | None) -> None:
    with ExitStack() as stack:
        s3_url = ""
        if scenario.storage.buckets:
            from preflight.sandbox import buckets

            s3_url = stack.enter_context(buckets.serving(scenario.storage))
        sockets = stack.enter_context(_socket_folder(folder))
        lines = stack.enter_context(record.open("w", encoding="utf-8")) if record else None
        plane = Plane(scenario, Folders(folder, sockets), s3_url=s3_url, record=lines)
        async with listening(plane) as modal_url:
            over = _end_asked_for()
            doors = {str(port): str(path) for port, path in plane.doors.items()}
            ready = {"modal": modal_url, "s3": s3_url, "sockets": str(sockets), "doors": doors}
            sys.stdout.write(json.dumps(ready) + "\n")
            sys.stdout.flush()
            await over.wait()


@contextmanager
def _socket_folder(folder: Path) -> Iterator[Path]:
    sockets = sockets_in(folder)
    try:
        yield sockets
    finally:
        shutil.rmtree(sockets, ignore_errors=True)


def _end_asked_for() -> asyncio.Event:
    """Set by a signal, and by the end of standard input: the parent is gone, or wants us gone."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)
    stdin = sys.stdin.fileno()

    def read() -> None:
        if not os.read(stdin, 4096):
            loop.remove_reader(stdin)
            over.set()

    loop.add_reader(stdin, read)
    return over


if __name__ == "__main__":
    sys.exit(main())
