"""A web server on 127.0.0.1 that answers as a test says, on real sockets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_s: float = 0.0  # before the first byte


@dataclass
class Server:
    url: str
    asked: list[tuple[str, str, Mapping[str, str]]]  # method, path, headers

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _ in self.asked]


Answer = Callable[[str, Mapping[str, str]], Reply]


@contextmanager
def serving(answer: Answer) -> Iterator[Server]:
    """``answer`` is given the path with its query, and the request's headers in lower case."""
    over = threading.Event()
    asked: list[tuple[str, str, Mapping[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: of two, the second waits for the first one to be acknowledged

        def do_GET(self) -> None:
            headers = {k.lower(): v for k, v in self.headers.items()}
            asked.append((self.command, self.path, headers))
            reply = answer(self.path, headers)
            if reply.hang_s:
                over.wait(reply.hang_s)
                self.close_connection = True
                return
            self.send_response(reply.status)
            for key, value in reply.headers.items():
                self.send_header(key, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_HEAD = do_GET  # noqa: N815 - http.server's own name

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_port}", asked)
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
