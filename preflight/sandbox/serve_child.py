"""The process behind ``serve.start``: ``python -m preflight.sandbox.serve_child FOLDER SOCKETS [--keep]``.

The scenario is a JSON line on its standard input.  Says ``serve.Ready`` on standard output when both servers listen,
and ends on SIGTERM, SIGINT or the end of its input; with ``--keep`` it leaves its folder.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

import msgspec

from preflight.process import when_input_ends
from preflight.sandbox import state
from preflight.sandbox.control_plane.plane import Plane
from preflight.sandbox.control_plane.service import listening
from preflight.sandbox.serve import Ready


def main() -> int:
    folder, sockets = map(Path, sys.argv[1:3])
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        scenario = msgspec.convert(json.loads(sys.stdin.buffer.readline()), state.Scenario)
        asyncio.run(serve(scenario, folder, sockets))
    finally:
        shutil.rmtree(sockets, ignore_errors=True)
        if "--keep" not in sys.argv:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


async def serve(scenario: state.Scenario, folder: Path, sockets: Path) -> None:
    with ExitStack() as stack:
        s3_url = ""
        if scenario.storage.buckets:
            from preflight.sandbox import buckets

            s3_url = stack.enter_context(buckets.serving(scenario.storage))
        plane = Plane(scenario, folder, sockets, s3_url=s3_url)
        async with listening(plane) as modal_url:
            over = asyncio.Event()
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, over.set)
            when_input_ends(over.set)
            doors = {str(port): str(path) for port, path in plane.doors.items()}
            ready = Ready(modal=modal_url, s3=s3_url, doors=doors)
            sys.stdout.buffer.write(msgspec.json.encode(ready) + b"\n")
            sys.stdout.flush()
            await over.wait()


if __name__ == "__main__":
    sys.exit(main())
