"""Runs a command that can change nothing outside a folder: ``python -P confine.py PLAN.json -- COMMAND...``.

In new Linux namespaces of its own (user, mount, process ids, network) it sees the machine's files under a veil: what
it writes lands in the plan's folder and is gone with it.  Whatever it starts ends with it.  It reaches no network but
the ports that the plan forwards.  Started by its path, it imports only the standard library.

A plan: ``folder``, for what is written · ``uid``, the user id to appear as · ``hidden``, folders that look empty ·
``veiled``, folders below hidden ones or /tmp that may be seen, as the rest is · ``copied``, a tree to lay over / ·
``binds``, [source, target, is_writable] · ``forwards``, port of 127.0.0.1 to unix socket · ``cwd``.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import platform
import resource
import shutil
import signal
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Required, TypedDict

# linux/sched.h, linux/mount.h, linux/prctl.h
NEW_USER, NEW_NS, NEW_PID, NEW_NET, NEW_IPC = 0x10000000, 0x00020000, 0x20000000, 0x40000000, 0x08000000
RDONLY, NOSUID, NODEV, BIND, REC, PRIVATE, DETACH = 1, 2, 4, 0x1000, 0x4000, 1 << 18, 2
PDEATHSIG, DROP_BOUNDING, NO_NEW_PRIVS = 1, 24, 38
MOUNT_SETATTR, AT_RECURSIVE = 442, 0x8000  # the number is the same on every architecture
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}
MADE_ANEW = frozenset({"proc", "dev", "sys", "run", "tmp", "lost+found"})
PSEUDO = frozenset(
    "proc sysfs devtmpfs devpts tmpfs cgroup cgroup2 mqueue bpf debugfs tracefs securityfs configfs fusectl pstore "
    "hugetlbfs binfmt_misc autofs efivarfs nsfs ramfs rpc_pipefs".split()
)
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
NOT_CHANGED = ("sys", "sysrq-trigger", "irq", "bus", "acpi", "scsi")  # of /proc, where root's user id alone may write
CAN_T = 113  # the exit code that says that this machine can't confine
CAPABILITIES = 64
OLD = "/.outside"
LIBC = ctypes.CDLL(None, use_errno=True)


class Plan(TypedDict, total=False):
    folder: Required[str]
    cwd: Required[str]
    uid: int
    hidden: tuple[str, ...]
    veiled: tuple[str, ...]
    copied: str
    binds: list[tuple[str, str, bool]]
    forwards: dict[str, str]


def main() -> None:
    plan: Plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    command = sys.argv[sys.argv.index("--") + 1 :]
    LIBC.prctl(PDEATHSIG, signal.SIGKILL)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # they are the command's: it is in our process group
    folder = Path(plan["folder"], str(os.getpid()))
    folder.mkdir(parents=True)
    ended, tell = os.pipe()
    second = os.fork()  # which goes where our own files are not; we stay to clear up
    if second == 0:
        _second(plan, folder, command, tell)
    os.close(tell)
    code = os.waitstatus_to_exitcode(os.waitpid(second, 0)[1])
    told = os.read(ended, 16)
    clear(folder)
    _end_as(int(told) if told else code)


def _second(plan: Plan, folder: Path, command: list[str], tell: int) -> None:
    LIBC.prctl(PDEATHSIG, signal.SIGKILL)
    try:
        _new_namespaces(int(plan.get("uid", os.getuid())))
        first = os.fork()
    except OSError as e:
        print(f"can't confine: {e}", file=sys.stderr)
        os._exit(CAN_T)
    if first == 0:
        _first(plan, folder, command, tell)
    os._exit(abs(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])))


def _new_namespaces(uid: int) -> None:
    """Raises OSError where the machine does not let us."""
    real_uid, real_gid = os.getuid(), os.getgid()
    _called(LIBC.unshare(NEW_USER | NEW_NS | NEW_PID | NEW_NET | NEW_IPC))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {real_uid} 1")
    Path("/proc/self/gid_map").write_text(f"{uid if uid == 0 else real_gid} {real_gid} 1")


def _first(plan: Plan, folder: Path, command: list[str], tell: int) -> None:
    """Process 1 of the new namespace: when it ends, all that is left of the command does.

    It tells the command's exit code, or the negative number of its signal."""
    try:
        LIBC.prctl(PDEATHSIG, signal.SIGKILL)
        _build(plan, folder)
        doors = [(_listening(int(port)), path) for port, path in plan.get("forwards", {}).items()]
        child = os.fork()
    except OSError as e:
        print(f"can't confine: {e}", file=sys.stderr)
        os._exit(CAN_T)
    if child == 0:
        _become(plan, command)
    for door, path in doors:
        threading.Thread(target=_forward, args=(door, path), daemon=True).start()
    while True:
        pid, status = os.wait()
        if pid == child:
            os.write(tell, str(os.waitstatus_to_exitcode(status)).encode())
            os._exit(0)


def _become(plan: Plan, command: list[str]) -> None:
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        for capability in range(CAPABILITIES):
            LIBC.prctl(DROP_BOUNDING, capability)
        LIBC.prctl(NO_NEW_PRIVS, 1, 0, 0, 0)
        os.chdir(plan["cwd"])
        os.execvp(command[0], command)
    except OSError as e:
        print(f"{command[0]}: {e}", file=sys.stderr)
        os._exit(127)


def _end_as(code: int) -> None:
    """The command's exit code, or its signal."""
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(-code, signal.SIG_DFL) if -code not in (signal.SIGKILL, signal.SIGSTOP) else None
        os.kill(os.getpid(), -code)
    sys.exit(code)


# ---- the files ----------------------------------------------------------------------------------------------------


def _build(plan: Plan, folder: Path) -> None:
    new = folder / "new"
    new.mkdir()
    veil = _Veil(folder)
    _mount("none", "/", flags=REC | PRIVATE)
    _mount("tmpfs", new, "tmpfs", NOSUID | NODEV, "mode=755")
    veil.each("/", str(new))
    (new / OLD[1:]).mkdir()
    _called(LIBC.syscall(PIVOT_ROOT[platform.machine()], os.fsencode(new), os.fsencode(new / OLD[1:])))
    os.chdir("/")
    _make_anew(folder)
    # from here on a path means what the command will see; the machine's own are below OLD
    for path in plan.get("hidden", ()):
        if Path(path).is_dir():
            _mount("tmpfs", path, "tmpfs", NOSUID | NODEV, "mode=755")
    if copied := plan.get("copied"):
        shutil.copytree(OLD + copied, "/", symlinks=True, dirs_exist_ok=True)
    for source, target, is_writable in plan.get("binds", ()):
        _bind(OLD + source, target, is_writable=is_writable)
    veil.old = OLD
    for path in plan.get("veiled", ()):
        Path(path).mkdir(parents=True, exist_ok=True)
        veil.over(path, path)
    Path(plan["cwd"]).mkdir(parents=True, exist_ok=True)
    _called(LIBC.umount2(os.fsencode(OLD), DETACH))
    Path(OLD).rmdir()
    _network_up()


class _Veil:
    """Folders as they are, with what is written over them in a folder of ours; read-only where that can't be."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._mounts = dict(_mounts())
        self.old = ""

    def over(self, path: str, target: str) -> None:
        if any(mount.startswith(f"{path}/") for mount in self._mounts):
            self.each(path, target)  # one with a mount in it can't be below an overlay
            return
        lower = self.old + path
        self._count += 1
        above = Path(f"{self.old}{self._folder}", f"{self._count}")
        (above / "work").mkdir(parents=True)
        (above / "up").mkdir()
        options = f"lowerdir={lower},upperdir={above}/up,workdir={above}/work,userxattr"
        try:
            _mount("overlay", target, "overlay", NODEV, options)
        except OSError:  # a file system that can't be below one, or the folder that holds ours
            _bind(lower, target, is_writable=False)

    def each(self, path: str, target: str) -> None:
        for entry in os.scandir(self.old + path):
            here, there = os.path.join(path, entry.name), os.path.join(target, entry.name)
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), there)
            elif entry.is_dir():
                os.mkdir(there)
                if not (path == "/" and entry.name in MADE_ANEW) and self._mounts.get(here, "") not in PSEUDO:
                    self.over(here, there)
            elif path != "/":
                with contextlib.suppress(OSError):
                    _bind(entry.path, there, is_writable=False)


def _make_anew(folder: Path) -> None:
    """/proc, /dev, /sys, /run and /tmp."""
    _mount("proc", "/proc", "proc", NOSUID | NODEV)
    for name in NOT_CHANGED:
        with contextlib.suppress(OSError):
            _bind(f"/proc/{name}", f"/proc/{name}", is_writable=False)
    _mount("tmpfs", "/dev", "tmpfs", NOSUID, "mode=755")
    for name in DEVICES:
        if Path(f"{OLD}/dev/{name}").exists():
            Path(f"/dev/{name}").touch()
            _mount(f"{OLD}/dev/{name}", f"/dev/{name}", flags=BIND)
    for name, to in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        Path(f"/dev/{name}").symlink_to(to)
    Path("/dev/shm").mkdir()
    _mount("tmpfs", "/dev/shm", "tmpfs", NOSUID | NODEV, "mode=1777")
    _bind(f"{OLD}/sys", "/sys", is_writable=False)
    _mount("tmpfs", "/run", "tmpfs", NOSUID | NODEV, "mode=755")
    own = Path(f"{OLD}{folder}/tmp")
    own.mkdir()
    _bind(str(own), "/tmp", is_writable=True)
    Path("/tmp").chmod(0o1777)


def _bind(source: str, target: str, *, is_writable: bool) -> None:
    if not Path(target).exists():
        if Path(source).is_dir():
            Path(target).mkdir(parents=True)
        else:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            Path(target).touch()
    _mount(source, target, flags=BIND | REC)
    if not is_writable:
        attributes = struct.pack("QQQQ", RDONLY, 0, 0, 0)  # struct mount_attr: attr_set first
        _called(LIBC.syscall(MOUNT_SETATTR, -1, os.fsencode(target), AT_RECURSIVE, attributes, len(attributes)))


def _mounts() -> Iterator[tuple[str, str]]:
    """Every mount point with the kind of its file system."""
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        yield before.split()[4].encode("utf-8", "surrogateescape").decode("unicode_escape"), after.split()[0]


def _mount(source: object, target: object, kind: str = "", flags: int = 0, options: str = "") -> None:
    given = [os.fsencode(str(source)), os.fsencode(str(target)), kind.encode() or None]
    _called(LIBC.mount(*given, ctypes.c_ulong(flags), os.fsencode(options) or None), f"mount of {target}")


def _called(result: int, what: str = "") -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}" if what else os.strerror(number))


def clear(folder: Path) -> None:
    """Remove it, also what was written so that its own user may not look into it."""
    for top, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            Path(top).chmod(0o700)
        for entry in os.scandir(top):
            if entry.is_dir(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    Path(entry.path).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


# ---- the network --------------------------------------------------------------------------------------------------


def _network_up() -> None:
    """The loopback interface of the new namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40) + bytes(14))  # SIOCSIFFLAGS: up, running


def _listening(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port))


def _forward(door: socket.socket, path: str) -> None:
    while True:
        inner, _ = door.accept()
        outer = socket.socket(socket.AF_UNIX)
        try:
            outer.connect(path)
        except OSError:
            inner.close()
            continue
        for source, target in ((inner, outer), (outer, inner)):
            threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main()
