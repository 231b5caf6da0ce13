"""A Modal that is not there, says nothing, or something else: every command ends in time, and names what it met.

Odd values, and the faults of S3, are in tests/remote/test_odd_modal.py and tests/remote/test_odd_s3.py.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.trust.conftest import Forks
from tests.trust.table import Tally

APP = 'import modal\napp = modal.App("x")\n\n\n@app.function(timeout=3600, gpu="T4")\ndef train() -> None: ...\n'
COMMANDS: dict[str, tuple[tuple[str, ...], int]] = {  # and the exit code: nothing is green that was not asked
    "run": (("run", "app.py", "--stage", "remote"), 3),
    "apps": (("apps",), 3),
    "check": (("check", "modal-auth", "app.py"), 3),
    "gate": (("gate", "--stage", "remote", "app.py", "--", "true"), 5),
    "estimate": (("estimate", "app.py", "--hours", "0.5"), 0),  # at the list prices of a day that it names
}
DEADLINE_S = 60.0


def mute(connection: socket.socket) -> None:
    time.sleep(DEADLINE_S * 3)


def garbage(connection: socket.socket) -> None:
    connection.recv(100)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
    time.sleep(0.5)
    connection.close()


def dies(connection: socket.socket) -> None:
    connection.recv(1)
    connection.close()


@contextlib.contextmanager
def serving(act: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port of 127.0.0.1 where every connection is treated so."""

    def loop() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                threading.Thread(target=_quietly, args=(act, connection), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=loop, daemon=True).start()
        yield server.getsockname()[1]


def _quietly(act: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        act(connection)


FAULTS: dict[str, tuple[str, Callable[[socket.socket], None] | None, str]] = {  # address, server, what must be named
    "refused": ("http://127.0.0.1:9", None, "refuses the connection"),
    "no such name": ("http://no-such-host.invalid:80", None, "can't be resolved"),
    "no TLS": ("https://127.0.0.1:{}", garbage, "TLS|certificate|SSL|secure"),
    "garbage": ("http://127.0.0.1:{}", garbage, "127.0.0.1|connection|answer"),
    "dies in mid-call": ("http://127.0.0.1:{}", dies, "127.0.0.1|connection|answer"),
    "mute": ("http://127.0.0.1:{}", mute, "says nothing|no answer|did not answer|after"),
}
QUICK = ("refused", "no such name")
SOME = [(f, c) for f in QUICK for c in COMMANDS] + [
    ("no TLS", "check"),
    ("garbage", "apps"),
    ("dies in mid-call", "gate"),
]
SOME += [("mute", "apps")]
ALL = [(f, c) for f in FAULTS for c in COMMANDS]


def attack(forks: Forks, folder: Path, tally: Tally, fault: str, command: str) -> None:
    (folder / "app.py").write_text(APP, encoding="utf-8")
    address, act, named = FAULTS[fault]
    words, code = COMMANDS[command]
    with serving(act) if act else contextlib.nullcontext(0) as port:
        began = time.monotonic()
        ended = forks(
            folder, *words, limit_s=2 * DEADLINE_S, HOME=str(folder), MODAL_CONFIG_PATH=str(folder / "none"),
            MODAL_SERVER_URL=address.format(port), MODAL_TOKEN_ID="ak-1", MODAL_TOKEN_SECRET="as-1", COLUMNS="500",
        )  # fmt: skip
    seconds = time.monotonic() - began
    told = " ".join((ended.out + ended.err).split())
    is_bad = ended.code != code or seconds > DEADLINE_S or "this is a bug" in told or "Traceback" in told
    is_bad = is_bad or not re.search(named, told)
    tally.add(is_bad, seconds=seconds)
    assert not is_bad, (ended.code, seconds, told[-1500:])


@pytest.mark.parametrize(("fault", "command"), SOME)
def test_a_modal_that_does_not_answer_is_named(
    forks: Forks, tmp_path: Path, tally: Tally, fault: str, command: str
) -> None:
    attack(forks, tmp_path, tally, fault, command)


@pytest.mark.long
@pytest.mark.parametrize(("fault", "command"), ALL)
def test_a_modal_that_does_not_answer_is_named_by_every_command(
    forks: Forks, tmp_path: Path, tally: Tally, fault: str, command: str
) -> None:
    attack(forks, tmp_path, tally, fault, command)
