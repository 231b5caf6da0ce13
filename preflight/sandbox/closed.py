"""The process that runs the user's top level: the real `modal deploy` with the network closed behind it.

Started by its path, it imports only the standard library, so that nothing of ours stands on the app's path.
Its arguments are the descriptor for its own report and then the words of the `modal` command.

The network is closed twice.  An audit hook refuses every socket of Python's that is not a unix socket, and writes
down who was asked for.  On Linux a seccomp filter has the kernel refuse the same to whatever is started from here;
elsewhere a program that is not Python could still reach out.  Our own plane is on a unix socket.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import runpy
import socket
import sys
import traceback
from typing import Any

REFUSAL = "the network is closed while preflight records the app"
MOST_REFUSALS = 20
MOST_FRAMES = 40
LONGEST = 2_000

# linux/prctl.h, linux/seccomp.h, linux/audit.h, linux/filter.h
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 1, 38, 22, 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, DENY = 0x7FFF0000, 0x00050000 | 13  # 13: EACCES, which Python raises as PermissionError
NUMBER_AT, ARCH_AT, FIRST_ARGUMENT_AT = 0, 4, 16  # offsets in struct seccomp_data
IO_URING_SETUP = 425  # makes sockets without the call that is watched
ARCHES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}  # AUDIT_ARCH_*, __NR_socket
UNIX, NETLINK = 1, 16  # the families that reach nobody outside: sys/socket.h


class _Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction))]


def main() -> None:
    to = int(sys.argv[1])
    os.set_inheritable(to, False)
    refused: list[str] = []
    report = {"closed_by": close_network(), "refused": refused}
    watch(refused)
    sys.argv = ["modal", *sys.argv[2:]]
    try:
        runpy.run_module("modal", run_name="__main__", alter_sys=True)
    finally:
        with os.fdopen(to, "w", encoding="utf-8", errors="replace") as out:
            json.dump(report | _ending(sys.exc_info()[1]), out)


def _ending(error: BaseException | None) -> dict[str, object]:
    """What ended the command, which goes on to end this process."""
    if type(error).__name__ == "_CliUserExecutionError" and error is not None:
        error = error.__cause__
    if error is None:
        return {}
    places = frames(error)
    if isinstance(error, SyntaxError) and error.filename is not None:
        places = [(error.filename, error.lineno or 0)]
    return {
        "raised": type(error).__name__,
        "message": (repr(error.code) if isinstance(error, SystemExit) else str(error))[:LONGEST],
        "frames": places,
    }


def frames(error: BaseException) -> list[tuple[str, int]]:
    """File and line of every frame, outermost first."""
    whole = ((frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__))
    return [each for each in whole if each[0] != __file__][-MOST_FRAMES:]


def watch(refused: list[str]) -> None:
    """From here on, Python in this process opens no socket but a unix one."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if not event.startswith("socket."):
            return
        if event == "socket.__new__":
            if args[1] in (-1, socket.AF_UNIX, getattr(socket, "AF_NETLINK", -1)):
                return
            asked = ""
        elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
            asked = str(args[0])
        elif event == "socket.connect" and args[0].family != socket.AF_UNIX:
            asked = str(args[1])
        else:
            return
        if asked and asked not in refused and len(refused) < MOST_REFUSALS:
            refused.append(asked[:LONGEST])
        raise PermissionError(f"{REFUSAL}" + (f" ({asked})" if asked else ""))

    sys.addaudithook(hook)


def close_network() -> str:
    """Who closes it: "kernel", or "python" where only the audit hook does."""
    if not sys.platform.startswith("linux") or platform.machine() not in ARCHES:
        return "python"
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)  # not to outlive the process that serves the plane
    arch, socket_number = ARCHES[platform.machine()]
    rows = [
        (LOAD, 0, 0, ARCH_AT),
        (JUMP_IF_EQUAL, 0, 7, arch),
        (LOAD, 0, 0, NUMBER_AT),
        (JUMP_IF_EQUAL, 5, 0, IO_URING_SETUP),
        (JUMP_IF_EQUAL, 0, 3, socket_number),
        (LOAD, 0, 0, FIRST_ARGUMENT_AT),
        (JUMP_IF_EQUAL, 1, 0, UNIX),
        (JUMP_IF_EQUAL, 0, 1, NETLINK),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, DENY),
    ]
    instructions = (_Instruction * len(rows))(*(_Instruction(*row) for row in rows))
    program = _Program(len(rows), instructions)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return "python"
    return "kernel" if libc.prctl(PR_SET_SECCOMP, FILTER, ctypes.byref(program), 0, 0) == 0 else "python"


if __name__ == "__main__":
    main()
