"""A package index on 127.0.0.1 that answers as one was recorded: pages as JSON with an ETag, files by ranges."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import lzma
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

RECORDED = Path(__file__).parent.parent / "data" / "facts" / "index.json.xz"


@cache
def recorded() -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(lzma.decompress(RECORDED.read_bytes())))


class Index(ThreadingHTTPServer):
    """``asked`` are the paths that were asked for, ``fails`` how often each path is first answered with 503."""

    daemon_threads = True

    def __init__(self, pages: dict[str, list[dict[str, Any]]], members: dict[str, dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages, self.members = dict(pages), members
        self.asked: list[str] = []
        self.fails: dict[str, int] = {}
        self.built: dict[str, bytes] = {}
        self.is_plain = False  # pages of HTML without sizes, and no ranges

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/simple"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no failure of the test."""

    def file(self, name: str) -> bytes:
        if name not in self.built:
            self.built[name] = _built(name, self.members[name])
        return self.built[name]


@contextlib.contextmanager
def serving(pages: dict[str, list[dict[str, Any]]], members: dict[str, dict[str, Any]]) -> Iterator[Index]:
    server = Index(pages, members)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _built(name: str, members: dict[str, Any]) -> bytes:
    raw = io.BytesIO()
    if name.endswith((".whl", ".zip")):
        with zipfile.ZipFile(raw, "w") as archive:
            for path, text in members.items():
                archive.writestr(path, text)
        return raw.getvalue()
    with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=1) as tar:
        for path, text in members.items():
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return raw.getvalue()


class _Handler(BaseHTTPRequestHandler):
    server: Index
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: of two, the second waits 40 ms for the first one to be acknowledged

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.server.fails.get(self.path, 0) > 0:
            self.server.fails[self.path] -= 1
            return self._answer(503, b"")
        kind, _, name = self.path.strip("/").partition("/")
        if kind == "files" and name in self.server.members:
            return self._file(self.server.file(name))
        if kind != "simple" or name not in self.server.pages:
            return self._answer(404, b"")
        if self.server.is_plain:
            links = "".join(f'<a href="../../files/{r["filename"]}">x</a>' for r in self.server.pages[name])
            return self._answer(200, f"<html><body>{links}</body></html>".encode(), **{"content-type": "text/html"})
        files = [
            {**row, "hashes": {}, "url": f"/files/{row['filename']}", "size": len(self.server.file(row["filename"]))}
            if row["filename"] in self.server.members
            else {**row, "hashes": {}, "url": f"/files/{row['filename']}", "size": 1}
            for row in self.server.pages[name]
        ]
        body = json.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": files}).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.headers.get("if-none-match") == etag:
            return self._answer(304, b"", etag=etag)
        return self._answer(200, body, etag=etag, **{"content-type": "application/vnd.pypi.simple.v1+json"})

    def _file(self, data: bytes) -> None:
        asked = self.headers.get("range")
        if asked is None or self.server.is_plain:
            return self._answer(200, data, **({} if self.server.is_plain else {"accept-ranges": "bytes"}))
        first, _, last = asked.removeprefix("bytes=").partition("-")
        if not first:
            first, last = str(max(0, len(data) - int(last))), str(len(data) - 1)
        of = {"content-range": f"bytes {first}-{last}/{len(data)}"}
        return self._answer(206, data[int(first) : int(last) + 1], **of)

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass
