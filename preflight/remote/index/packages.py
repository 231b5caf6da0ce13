"""Reads package indexes and parts of their files: pages as JSON or HTML, wheels by ranges of bytes.

What was read is kept: a page with its ETag, a part of a file for good, since a file of an index never changes.  So
what was broken off goes on where it stopped.  httpx and stamina are imported inside functions.
"""

from __future__ import annotations

import contextlib
import hashlib
import html.parser
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import url2pathname

import preflight
from preflight.facts.refresh.source import IndexFile, NotRead, named
from preflight.store import write_whole

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
CONNECT_S, READ_S = 5.0, 20.0
TRIES = 3
MOST_BYTES = 64 << 20  # of one answer
BLOCK_BYTES = 1 << 20  # one range
TAIL_BYTES = 96 << 10  # of a wheel: its list of files, and mostly METADATA too


@dataclass(frozen=True)
class _Answer:
    status: int
    etag: str
    url: str
    body: bytes
    total: int = 0  # bytes of the whole file, where only a range of it was asked for


class PackageIndex:
    """``urls`` are simple indexes (http, https, file); ``kept`` is the folder for what was read."""

    def __init__(self, urls: Sequence[str], kept: Path) -> None:
        import httpx

        self._urls = tuple(urls)
        self._kept = kept
        self._client = httpx.Client(
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            follow_redirects=True,
            headers={"user-agent": f"preflight/{preflight.__version__}"},
        )
        self._pages: dict[str, tuple[IndexFile, ...]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def urls(self) -> tuple[str, ...]:
        return self._urls

    def files(self, name: str) -> tuple[IndexFile, ...]:
        """Every file of a package, each from the first index that has it; () where none has one.

        Raises NotRead where an index can't be asked.
        """
        if name not in self._pages:
            found: dict[str, IndexFile] = {}
            for url in self._urls:
                for file in self._page(f"{url}/{name}/"):
                    found.setdefault(file.filename, file)
            self._pages[name] = tuple(found.values())
        return self._pages[name]

    def metadata(self, file: IndexFile) -> str:
        """METADATA of a wheel, PKG-INFO of an sdist."""
        if file.has_metadata:
            return self.text(f"{file.url}.metadata")
        if file.filename.endswith(".whl"):
            return next(iter(self.members(file, r"[^/]+\.dist-info/METADATA").values()), b"").decode("utf-8", "replace")
        return next(iter(self.members(file, r"[^/]+/PKG-INFO").values()), b"").decode("utf-8", "replace")

    def text(self, url: str) -> str:
        """A document that never changes."""
        return self._once(url, lambda: self._get(url)).decode("utf-8", "replace")

    def members(self, file: IndexFile, pattern: str) -> dict[str, bytes]:
        """The members whose whole name matches, of a wheel by ranges, of an sdist from all of it."""
        key = f"{file.url}#{pattern}"
        packed = self._once(key, lambda: _pack(self._members(file, re.compile(pattern))))
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def open(self, file: IndexFile) -> io.BufferedReader:
        """A seekable file that fetches what is read."""
        if file.url.startswith("file:"):
            return _path(file.url).open("rb")
        size = file.size or self._size(file.url)
        return io.BufferedReader(_Ranges(lambda start, end: self._get(file.url, start, end), size), BLOCK_BYTES)

    def _members(self, file: IndexFile, wanted: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
        try:
            if file.filename.endswith((".whl", ".zip")):
                with self.open(file) as raw, zipfile.ZipFile(raw) as archive:
                    for name in archive.namelist():
                        if wanted.fullmatch(name):
                            yield name, archive.read(name)
                return
            whole = self._once(file.url, lambda: self._get(file.url))
            with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
                for member in archive:
                    if member.isfile() and member.size <= MOST_BYTES and wanted.fullmatch(member.name):
                        content = archive.extractfile(member)
                        yield member.name, content.read() if content else b""
        except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as e:
            raise NotRead(f"{file.filename} can't be unpacked: {e}") from e

    def _page(self, url: str) -> Iterator[IndexFile]:
        if url.startswith("file:"):
            page = _path(url) / "index.html"
            yield from _of_html(page.read_text("utf-8"), page.as_uri()) if page.is_file() else ()
            return
        kept = self._kept / f"{_digest(url)}.page"
        try:
            before = json.loads(kept.read_text("utf-8"))
        except (OSError, ValueError):
            before = {}
        headers = {"accept": ACCEPT, **({"if-none-match": before["etag"]} if before.get("etag") else {})}
        answer = self._answer(url, headers)
        if answer.status in (404, 410):
            return
        if answer.status not in (200, 304):
            raise NotRead(f"{_host(url)} answers {answer.status} for {urlsplit(url).path}")
        if answer.status == 200:
            before = {"etag": answer.etag, "url": answer.url, "text": answer.body.decode("utf-8", "replace")}
            _write(kept, json.dumps(before).encode())
        text, at = before["text"], before["url"]
        yield from _of_json(text, at) if text.lstrip().startswith("{") else _of_html(text, at)

    def _once(self, key: str, read: Callable[[], bytes]) -> bytes:
        kept = self._kept / f"{_digest(key)}.part"
        try:
            return kept.read_bytes()
        except OSError:
            found = read()
            _write(kept, found)
            return found

    def _get(self, url: str, start: int = 0, end: int | None = None) -> bytes:
        """Bytes ``start`` to ``end`` (excluded) of a file, or all of it."""
        if url.startswith("file:"):
            return _path(url).read_bytes()
        headers = {"range": f"bytes={start}-{end - 1}"} if end is not None else {}
        answer = self._answer(url, headers)
        if answer.status == 200:  # to a range too, where the host knows no ranges
            return answer.body[start:end]
        if answer.status != 206 or not headers:
            raise NotRead(f"{_host(url)} answers {answer.status} for {url.rsplit('/', 1)[-1]}")
        return answer.body

    def _size(self, url: str) -> int:
        """Of a file whose page does not say it."""
        answer = self._answer(url, {"range": "bytes=0-0"})
        if answer.status not in (200, 206):
            raise NotRead(f"{_host(url)} answers {answer.status} for {url.rsplit('/', 1)[-1]}")
        return answer.total or len(answer.body)

    def _answer(self, url: str, headers: dict[str, str]) -> _Answer:
        import httpx
        import stamina

        stamina.instrumentation.set_on_retry_hooks([])  # what is asked again is no news

        @stamina.retry(on=_may_pass, attempts=TRIES, timeout=TRIES * READ_S)
        def ask() -> _Answer:
            with self._client.stream("GET", url, headers=headers) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise NotRead(f"{_host(url)} answers with more than {MOST_BYTES >> 20} MiB")
                if response.status_code == 429 or response.status_code >= 500:
                    response.raise_for_status()
                total = response.headers.get("content-range", "").rpartition("/")[2]
                etag = response.headers.get("etag", "")
                return _Answer(response.status_code, etag, str(response.url), bytes(body), int(total or 0))

        try:
            return ask()
        except httpx.HTTPStatusError as e:
            raise NotRead(f"{_host(url)} answers {e.response.status_code}") from e
        except (httpx.HTTPError, httpx.InvalidURL) as e:
            raise NotRead(f"{_host(url)}: {e or type(e).__name__}") from e


def _may_pass(error: Exception) -> bool:
    """Whether asking again can help; who can't be reached at all is not asked again."""
    import httpx

    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return False
    return isinstance(error, httpx.TransportError | httpx.HTTPStatusError)


class _Ranges(io.RawIOBase):
    """A remote file, read by ranges.  The last ``TAIL_BYTES`` are asked for once."""

    def __init__(self, get: Callable[[int, int], bytes], size: int) -> None:
        self._get, self._size, self._at = get, size, 0
        self._tail = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def readinto(self, buffer: Buffer) -> int:
        size, view = self._size, memoryview(buffer)
        first = size - TAIL_BYTES
        end = min(self._at + len(view), size)
        if end <= self._at:
            return 0
        if self._at >= max(first, 0):
            self._tail = self._tail or self._get(max(first, 0), size)
            data = self._tail[self._at - max(first, 0) :][: end - self._at]
        else:
            data = self._get(self._at, end)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and given.get("href"):
            self.found.append(given)


def _of_html(text: str, at: str) -> Iterator[IndexFile]:
    links = _Links()
    links.feed(text)
    for link in links.found:
        url = urljoin(at, link["href"]).partition("#")[0]
        metadata = link.get("data-core-metadata", link.get("data-dist-info-metadata"))
        yield _file(url, 0, link.get("data-requires-python", ""), None, "data-yanked" in link, metadata is not None)


def _of_json(text: str, at: str) -> Iterator[IndexFile]:
    try:
        files = json.loads(text)["files"]
        for row in files:
            metadata = row.get("core-metadata") or row.get("data-dist-info-metadata")
            day = row.get("upload-time")
            yield _file(
                urljoin(at, row["url"]),
                row.get("size") or 0,
                row.get("requires-python") or "",
                date.fromisoformat(day[:10]) if day else None,
                bool(row.get("yanked")),
                bool(metadata),
            )
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise NotRead(f"{_host(at)} answers with a page that is not a simple index: {e}") from e


def _file(url: str, size: int, python: str, day: date | None, is_yanked: bool, has_metadata: bool) -> IndexFile:
    filename = unquote(urlsplit(url).path.rsplit("/", 1)[-1])
    version, tags = named(filename)
    return IndexFile(filename, url, size, python, day, is_yanked, has_metadata, version, tags)


def _pack(members: Iterable[tuple[str, bytes]]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return packed.getvalue()


def _write(file: Path, data: bytes) -> None:
    """Whole or not at all; a folder that can't be written keeps nothing."""
    with contextlib.suppress(OSError):
        write_whole(file, data)


def _digest(key: str) -> str:
    """An address may hold a password: only its digest is a name."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _path(url: str) -> Path:
    return Path(url2pathname(urlsplit(url).path))


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2] or url
