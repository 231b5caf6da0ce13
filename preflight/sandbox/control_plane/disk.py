"""What a container has mounted: copies of Volumes, and of buckets' objects, in folders of its own.

As on Modal, what one container writes to a Volume is there for others when it has committed and they reload, and what
it writes to a bucket is in the bucket.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

State = tuple[int, int, int]  # of a file: its time, size and mode


class NotMounted(Exception):
    """The container can't start; the text says why."""


@dataclass
class VolumeCopy:
    volume: Path
    copy: Path
    is_read_only: bool
    known: dict[str, State] = field(default_factory=dict)  # as they were when the two were last the same

    def __post_init__(self) -> None:
        self.copy.mkdir(parents=True, exist_ok=True)
        self.reload()

    def commit(self) -> None:
        """What is new here goes to the volume; what was removed here is removed there."""
        if self.is_read_only:
            return
        now = dict(_files(self.copy))
        for name, state in now.items():
            if self.known.get(name) != state:
                _copy(self.copy, self.volume, name)
        for name in self.known.keys() - now.keys():
            _remove(self.volume, name)
        self.known = now

    def reload(self) -> None:
        """After a commit: what others have committed comes here."""
        if self.known:
            self.commit()
        theirs = dict(_files(self.volume))
        for name, state in theirs.items():
            if self.known.get(name) != state:
                _copy(self.volume, self.copy, name)
        for name in self.known.keys() - theirs.keys():
            _remove(self.copy, name)
        self.known = theirs


@dataclass
class BucketCopy:
    bucket: str
    prefix: str
    copy: Path
    is_read_only: bool
    known: dict[str, State] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises NotMounted."""
        from preflight.sandbox import buckets

        self.copy.mkdir(parents=True, exist_ok=True)
        try:
            for key, data in buckets.objects(self.bucket, self.prefix):
                target = self.copy / key.removeprefix(self.prefix).lstrip("/")
                if ".." not in target.parts and not key.endswith("/"):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(data)
        except LookupError:
            raise NotMounted(f"bucket {self.bucket} can't be mounted: there is none") from None
        self.known = dict(_files(self.copy))

    def commit(self) -> None:
        if self.is_read_only:
            return
        from preflight.sandbox import buckets

        now = dict(_files(self.copy))
        for name, state in now.items():
            if self.known.get(name) != state and not (self.copy / name).is_symlink():
                buckets.put(self.bucket, self.prefix + name, (self.copy / name).read_bytes())
        self.known = now


def _files(folder: Path) -> Iterator[tuple[str, State]]:
    for top, folders, files in os.walk(folder):
        for name in (*files, *(f for f in folders if Path(top, f).is_symlink())):
            path = Path(top, name)
            with contextlib.suppress(OSError):
                found = path.lstat()
                yield str(path.relative_to(folder)), (found.st_mtime_ns, found.st_size, found.st_mode)


@contextlib.contextmanager
def _folder(top: Path, name: str, *, makes: bool = False) -> Iterator[int]:
    """A descriptor of the folder that holds ``name``, reached without following a link that a function may set."""
    here = os.open(top, os.O_DIRECTORY)
    try:
        for part in Path(name).parts[:-1]:
            if makes:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=here)
            below = os.open(part, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = below
        yield here
    finally:
        os.close(here)


def _copy(source: Path, target: Path, name: str) -> None:
    """A link stays a link; what can't be read, or is no file, stays behind."""
    last = Path(name).name
    with contextlib.suppress(OSError), _folder(source, name) as there, _folder(target, name, makes=True) as here:
        found = os.lstat(last, dir_fd=there)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(last, dir_fd=here)
        if stat.S_ISLNK(found.st_mode):
            os.symlink(os.readlink(last, dir_fd=there), last, dir_fd=here)
        elif stat.S_ISREG(found.st_mode):
            new = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with (
                os.fdopen(os.open(last, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=there), "rb") as reader,
                os.fdopen(os.open(last, new, stat.S_IMODE(found.st_mode) | 0o600, dir_fd=here), "wb") as writer,
            ):
                shutil.copyfileobj(reader, writer)
                writer.flush()
                os.utime(writer.fileno(), ns=(found.st_atime_ns, found.st_mtime_ns))


def _remove(top: Path, name: str) -> None:
    with contextlib.suppress(OSError), _folder(top, name) as here:
        os.unlink(Path(name).name, dir_fd=here)
