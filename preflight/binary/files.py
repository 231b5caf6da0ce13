"""A file's shared libraries: the file itself, or what a wheel holds; read in bounded time and memory."""

from __future__ import annotations

import contextlib
import mmap
import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from preflight.binary.elf import Data, Unreadable

SHARED_NAME = re.compile(r"\.so(?:\.\d+)*$")
WHEEL_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
CHUNK_BYTES = 1 << 20
LARGEST_BYTES = 4 << 30  # of one library in a wheel; libtorch_cuda of 2.2 has 0.8 GiB
HIGHEST_RATIO = 250  # bytes of a library for one in the wheel; cubins reach 10
MOST_LIBRARIES = 1024
LARGEST_DIRECTORY = 8 << 20  # bytes of a wheel's list of files: about 100 thousand of them
END_OF_DIRECTORY = b"PK\x05\x06"


@dataclass(frozen=True)
class Found:
    """One library.  ``path`` is of the file, or WHEEL/MEMBER; ``refused`` says why there is no ``data``."""

    path: str
    data: Data = b""
    refused: str = ""


def libraries(path: Path) -> Iterator[Found]:
    """Each library of a file, its data valid until the next is asked for; at least one, refused or not.

    Raises FileNotFoundError and nothing else.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            yield Found(str(path), refused="it is no regular file")
            return
        with path.open("rb") as file:
            if file.read(4) in WHEEL_MAGIC:
                yield from _of_wheel(path, file)
            else:
                with _mapped(file) as data:
                    yield Found(str(path), data)
    except FileNotFoundError:
        raise
    except OSError as e:
        yield Found(str(path), refused=f"it can't be read: {e.strerror or e}")


@contextlib.contextmanager
def _mapped(file: BinaryIO) -> Iterator[Data]:
    try:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError:
        yield b""  # an empty file can't be mapped
        return
    with contextlib.suppress(BufferError), data:  # a view of it that is still held ends it later
        yield data


def _of_wheel(path: Path, file: BinaryIO) -> Iterator[Found]:
    try:
        _bound_directory(file)
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as e:
        yield Found(str(path), refused=f"it can't be read as a wheel: {e}")
        return
    with archive:
        members = [m for m in archive.infolist() if SHARED_NAME.search(m.filename) and not m.is_dir()]
        if not members:
            yield Found(str(path), refused="the wheel holds no shared library: it was built without its extension")
        for member in members[:MOST_LIBRARIES]:
            yield from _of_member(f"{path}/{member.filename}", archive, member)
        if len(members) > MOST_LIBRARIES:
            yield Found(str(path), refused=f"the wheel holds {len(members)} libraries; {MOST_LIBRARIES} were read")


def _bound_directory(file: BinaryIO) -> None:
    """zipfile reads the whole list of files at once.  Raises Unreadable when that is too long."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 66_000))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(END_OF_DIRECTORY)
    if at < 0 or at + 16 > len(tail):
        raise Unreadable("its list of files is missing: truncated")
    claimed = int.from_bytes(tail[at + 12 : at + 16], "little")
    if claimed == 0xFFFFFFFF and at >= 76:
        claimed = int.from_bytes(tail[at - 36 : at - 28], "little")  # the 64-bit record before its locator
    if claimed > LARGEST_DIRECTORY:
        raise Unreadable(f"its list of files is said to have {claimed} bytes")


def _of_member(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[Found]:
    if stat.S_ISLNK(member.external_attr >> 16):
        yield Found(name, refused="it is a link, which no installer of wheels makes")
        return
    if member.flag_bits & 1:
        yield Found(name, refused="it is encrypted")
        return
    if member.file_size > max(CHUNK_BYTES, HIGHEST_RATIO * member.compress_size) or member.file_size > LARGEST_BYTES:
        yield Found(name, refused=f"{member.compress_size} bytes in the wheel claim to be {member.file_size}")
        return
    with tempfile.TemporaryFile() as copy:
        try:
            with archive.open(member) as packed:
                while chunk := packed.read(CHUNK_BYTES):
                    copy.write(chunk)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, OSError) as e:
            yield Found(name, refused=f"it can't be unpacked: {e or type(e).__name__}")
            return
        copy.flush()
        with _mapped(copy) as data:
            yield Found(name, data)
