"""Six ways not to reach a server are six sentences, each known as soon as it is true."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from preflight.problems import Kind, Problem
from preflight.remote.reach import SETTINGS, reach

FRAME = bytes((0, 0, 0, SETTINGS, 0, 0, 0, 0, 0))


@asynccontextmanager
async def saying(first: bytes | None, *, reads: int = 1) -> AsyncIterator[str]:
    """A server that reads, and answers with ``first``; None closes, and b"" says nothing."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(reads)
        if first:
            writer.write(first)
        if first is None or first:
            writer.close()
        else:
            await reader.read()
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def unreached(first: bytes | None, *, scheme: str = "http", limit_s: float = 3.0) -> tuple[Problem, float]:
    async def ask() -> tuple[Problem, float]:
        async with saying(first) as at:
            began = time.monotonic()
            with pytest.raises(Problem) as raised:
                await reach(f"{scheme}://{at}", limit_s=limit_s)
            return raised.value, time.monotonic() - began

    return asyncio.run(ask())


def refused_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def problem_of(url: str, **more: object) -> Problem:
    with pytest.raises(Problem) as raised:
        asyncio.run(reach(url, **more))  # type: ignore[arg-type]
    return raised.value


def test_a_server_that_speaks_http2_is_reached() -> None:
    async def ask() -> None:
        async with saying(FRAME) as at:
            await reach(f"http://{at}")

    asyncio.run(ask())


def test_a_refused_port_is_known_at_once() -> None:
    began, port = time.monotonic(), refused_port()
    found = problem_of(f"http://127.0.0.1:{port}")
    assert str(found).startswith(f"127.0.0.1:{port} refuses the connection: nothing listens there")
    assert found.kind is Kind.UNREACHABLE and found.can_pass
    assert time.monotonic() - began < 2


def test_a_name_without_an_address_is_named() -> None:
    found = problem_of("http://no-such-host.invalid:443")
    assert found.message.startswith("the name no-such-host.invalid can't be resolved")


def test_tls_to_a_server_that_does_not_speak_it_is_named() -> None:
    found, seconds = unreached(b"HTTP/1.1 400 Bad Request\r\n\r\n", scheme="https")
    assert found.message.startswith("TLS with 127.0.0.1:")
    assert seconds < 2


def test_garbage_is_shown() -> None:
    found, seconds = unreached(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert "answers, and not in HTTP/2: it sends b'HTTP/1.1 400 Bad Request" in found.message
    assert seconds < 2


def test_a_connection_that_is_closed_is_named() -> None:
    assert "accepts the connection and closes it" in unreached(None)[0].message


def test_a_mute_server_is_named_when_the_limit_is_over() -> None:
    found, seconds = unreached(b"", limit_s=0.5)
    assert found.message.endswith("accepts the connection and says nothing for 0.5 s")
    assert found.kind is Kind.NO_ANSWER and 0.4 < seconds < 2


@pytest.mark.parametrize(
    ("answer", "said", "hint"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "HTTP 407", "give its user and password"),
        (b"HTTP/1.1 503 Busy\r\n\r\n", "HTTP 503 Busy", "look at HTTP_PROXY"),
    ],
)
def test_a_proxy_that_refuses_is_named_without_its_password(answer: bytes, said: str, hint: str) -> None:
    async def ask() -> Problem:
        async with saying(answer) as at:
            with pytest.raises(Problem) as raised:
                await reach("http://api.example:80", proxy=f"http://user:s3cret@{at}")
            return raised.value

    found = asyncio.run(ask())
    assert said in found.message and hint in found.hint
    assert "s3cret" not in str(found)


def test_a_proxy_that_is_not_there_is_named_and_not_the_server() -> None:
    port = refused_port()
    assert problem_of("http://api.example:80", proxy=f"http://127.0.0.1:{port}").message.startswith(
        f"the proxy http://127.0.0.1:{port} can't be reached"
    )


def test_several_addresses_and_socks_are_left_to_the_client() -> None:
    asyncio.run(reach("http://a:1,http://b:2"))
    asyncio.run(reach("http://api.example:80", proxy="socks5://127.0.0.1:1"))


def test_a_socket_that_is_not_there_is_named() -> None:
    assert problem_of("unix:///no/such.sock").message.startswith("/no/such.sock can't be reached: No such file")


@pytest.mark.parametrize("url", ["http://127.0.0.1:port", "ftp://x", "api.example"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    assert url in problem_of(url).message and "MODAL_SERVER_URL" in problem_of(url).message
