"""What a file, an index page and a registry on real sockets are understood to say."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping

import pytest

from preflight.build.downloads import Asset, BaseImage, OnIndex
from preflight.remote.index import api as index_api
from preflight.remote.index.api import Presence, There
from tests.remote.server import Reply, Server, serving

WHEEL = "mamba_ssm-2.2.2+cu122torch2.2cxx11abiFALSE-cp311-cp311-linux_x86_64.whl"
PAGE = (
    '<a href="/whl/cu121/torch-2.2.2%2Bcu121-cp311-cp311-linux_x86_64.whl#sha256=00">torch-2.2.2+cu121</a>\n'
    '<a href="/whl/cu121/torch-2.2.2%2Bcu121-cp310-cp310-linux_x86_64.whl">x</a>\n'
    '<a href="/whl/cu121/torch-2.3.0%2Bcu121-cp312-cp312-win_amd64.whl">x</a>\n'
)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def ask(target: Asset | OnIndex | BaseImage, *, default: str | None = None, apis: Mapping[str, str] = {}) -> Presence:
    return index_api.ask(target, default_index=default, apis=apis)


def file_answered(reply: Reply) -> Presence:
    with serving(lambda path, headers: reply) as server:
        return ask(Asset(f"{server.url}/v2.2.2/{WHEEL}"))


def page_answered(reply: Reply, *, version: str = "2.2.2", python: str = "3.11") -> Presence:
    with serving(lambda path, headers: reply) as server:
        return ask(OnIndex(version, python, (f"{server.url}/whl/cu121",)))


# --- a file ---


@pytest.mark.parametrize("status", [200, 206, 416])
def test_a_file_that_is_served_exists(status: int) -> None:
    assert file_answered(Reply(status, b"P")) == Presence(There.EXISTS)


def test_one_byte_is_asked_for_and_not_the_file() -> None:
    with serving(lambda path, headers: Reply(206, b"P")) as server:
        ask(Asset(f"{server.url}/{WHEEL}"))
    assert [h["range"] for _, _, h in server.asked] == ["bytes=0-0"]


@pytest.mark.parametrize("status", [404, 410])
def test_only_404_and_410_say_that_a_file_does_not_exist(status: int) -> None:
    said = file_answered(Reply(status))
    assert said.there is There.MISSING
    assert f"answers {status}" in said.why


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "credentials"),
        (403, "access denied"),
        (429, "rate-limited"),
        (500, "500"),
        (503, "503"),
        (400, "400"),
    ],
)
def test_a_refusal_a_rate_limit_or_a_breakdown_confirms_nothing(status: int, words: str) -> None:
    said = file_answered(Reply(status))
    assert said.there is There.NOT_CONFIRMED
    assert words in said.why


def test_a_redirect_is_followed_to_the_file() -> None:
    def answer(path: str, headers: Mapping[str, str]) -> Reply:
        return Reply(206, b"P") if path.startswith("/store") else Reply(302, headers={"location": "/store/x?sig=1"})

    with serving(answer) as server:
        assert ask(Asset(f"{server.url}/{WHEEL}")).there is There.EXISTS
    assert server.paths[-1] == "/store/x?sig=1"


def test_a_redirect_to_a_404_is_a_no() -> None:
    def answer(path: str, headers: Mapping[str, str]) -> Reply:
        return Reply(404) if path == "/gone" else Reply(302, headers={"location": "/gone"})

    with serving(answer) as server:
        assert ask(Asset(f"{server.url}/{WHEEL}")).there is There.MISSING


def test_redirects_without_end_confirm_nothing() -> None:
    said = file_answered(Reply(302, headers={"location": "/again"}))
    assert said.there is There.NOT_CONFIRMED
    assert "redirects more than 5 times" in said.why


def test_a_redirect_to_another_kind_of_address_confirms_nothing() -> None:
    assert file_answered(Reply(302, headers={"location": "ftp://127.0.0.1/x"})).there is There.NOT_CONFIRMED


def test_a_login_page_in_place_of_the_file_confirms_nothing() -> None:
    said = file_answered(Reply(200, b"<html>sign in", {"content-type": "text/html; charset=utf-8"}))
    assert said.there is There.NOT_CONFIRMED
    assert "web page" in said.why


def test_a_refused_connection_confirms_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        said = ask(Asset(f"http://127.0.0.1:{taken.getsockname()[1]}/{WHEEL}"))
    assert said.there is There.NOT_CONFIRMED
    assert "can't be reached" in said.why


def test_garbage_on_the_socket_confirms_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        import threading

        def babble() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"\x00\xff 99 no HTTP at all\r\n\r\n")

        thread = threading.Thread(target=babble, daemon=True)
        thread.start()
        said = ask(Asset(f"http://127.0.0.1:{listening.getsockname()[1]}/{WHEEL}"))
        thread.join(5)
    assert said.there is There.NOT_CONFIRMED


def test_silence_confirms_nothing_and_is_not_waited_for_longer_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_api, "READ_S", 0.4)
    began = time.monotonic()
    said = file_answered(Reply(hang_s=20))
    assert said.there is There.NOT_CONFIRMED
    assert "does not answer in 0.4 s" in said.why
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("url", ["http://[::1", "http://", "https://127.0.0.1:99999/x.whl", "nonsense"])
def test_an_address_that_is_none_confirms_nothing(url: str) -> None:
    assert ask(Asset(url)).there is There.NOT_CONFIRMED


def test_a_password_in_the_address_is_sent_and_not_shown() -> None:
    with serving(lambda path, headers: Reply(403)) as server:
        said = ask(Asset(f"http://me:hidden@{server.host}/{WHEEL}"))
    assert server.asked[0][2]["authorization"].startswith("Basic ")
    assert "hidden" not in said.why and "me:" not in said.why


def test_the_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda path, headers: Reply(404)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "")
        said = ask(Asset(f"http://files.invalid/{WHEEL}"))
    assert said.there is There.MISSING
    assert proxy.paths == [f"http://files.invalid/{WHEEL}"]


def test_a_proxy_that_can_not_be_used_confirms_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "gopher://127.0.0.1:1")
    assert ask(Asset(f"http://files.invalid/{WHEEL}")).there is There.NOT_CONFIRMED


# --- an index ---


def test_a_release_on_the_page_for_this_python_exists() -> None:
    assert page_answered(Reply(200, PAGE.encode())) == Presence(There.EXISTS)


def test_a_pin_with_its_build_is_matched_with_its_build() -> None:
    assert page_answered(Reply(200, PAGE.encode()), version="2.2.2+cu121").there is There.EXISTS
    assert page_answered(Reply(200, PAGE.encode()), version="2.2.2+cu118").there is There.MISSING


@pytest.mark.parametrize(("version", "python"), [("2.2.2", "3.12"), ("2.9.9", "3.11"), ("2.3.0", "3.12")])
def test_a_release_for_another_python_or_another_system_is_missing(version: str, python: str) -> None:
    said = page_answered(Reply(200, PAGE.encode()), version=version, python=python)
    assert said.there is There.MISSING
    assert "/whl/cu121/torch/ has no such wheel" in said.why


def test_the_page_of_the_project_below_the_index_is_asked_for() -> None:
    with serving(lambda path, headers: Reply(200, PAGE.encode())) as server:
        ask(OnIndex("2.2.2", "3.11", (f"{server.url}/whl/cu121/",)))
    assert server.paths == ["/whl/cu121/torch/"]


def test_a_json_page_is_read_too() -> None:
    page = {"files": [{"filename": "torch-2.2.2-cp311-cp311-manylinux1_x86_64.whl", "url": "x"}]}
    assert page_answered(Reply(200, json.dumps(page).encode())).there is There.EXISTS


def test_an_index_without_the_project_is_a_no() -> None:
    assert page_answered(Reply(404)).there is There.MISSING


@pytest.mark.parametrize("body", [b"", b"<html>please sign in</html>", b"\xff\xfe\x00garbage"])
def test_a_page_that_names_no_torch_at_all_confirms_nothing(body: bytes) -> None:
    assert page_answered(Reply(200, body)).there is There.NOT_CONFIRMED


def test_a_page_without_end_is_not_read_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_api, "MOST_BYTES", 100_000)
    said = page_answered(Reply(200, b"x" * 1_000_000))
    assert said.there is There.NOT_CONFIRMED


def two_indexes(first: Reply, second: Reply, *, default: bool = False) -> Presence:
    with serving(lambda path, headers: first) as one, serving(lambda path, headers: second) as two:
        indexes = (None, two.url) if default else (one.url, two.url)
        return ask(OnIndex("2.2.2", "3.11", indexes), default=one.url if default else None)


def test_one_of_two_indexes_is_enough() -> None:
    assert two_indexes(Reply(404), Reply(200, PAGE.encode())).there is There.EXISTS
    assert two_indexes(Reply(200, PAGE.encode()), Reply(503), default=True).there is There.EXISTS


def test_missing_is_said_only_where_both_indexes_have_answered() -> None:
    assert two_indexes(Reply(404), Reply(404)).there is There.MISSING
    assert two_indexes(Reply(404), Reply(503)).there is There.NOT_CONFIRMED


def test_without_a_configured_index_the_default_one_is_not_asked() -> None:
    said = ask(OnIndex("2.2.2", "3.11", (None,)))
    assert (said.there, said.why) == (There.NOT_ASKED, "pip's configuration names no index to ask")
    with serving(lambda path, headers: Reply(404)) as server:
        assert ask(OnIndex("2.2.2", "3.11", (None, server.url))).there is There.NOT_ASKED


# --- a registry ---


def image_on(server: Server, tag: str = "12.1.1-devel-ubuntu22.04") -> BaseImage:
    return BaseImage(server.host, "nvidia/cuda", tag)


def test_a_tag_whose_manifest_is_there_exists() -> None:
    with serving(lambda path, headers: Reply(200)) as server:
        assert ask(image_on(server)).there is There.EXISTS
    assert [(m, p) for m, p, _ in server.asked] == [("HEAD", "/v2/nvidia/cuda/manifests/12.1.1-devel-ubuntu22.04")]


def test_a_tag_without_a_manifest_does_not_exist() -> None:
    with serving(lambda path, headers: Reply(404)) as server:
        assert ask(image_on(server)).there is There.MISSING


def registry(with_token: Reply, *, token: Reply | None = None) -> tuple[Presence, Server]:
    answers = {"with": with_token}

    def answer(path: str, headers: Mapping[str, str]) -> Reply:
        if path.startswith("/token"):
            return token or Reply(200, b'{"token": "anonymous"}')
        if headers.get("authorization") == "Bearer anonymous":
            return answers["with"]
        realm = f'Bearer realm="http://{headers["host"]}/token",service="registry",scope="repository:x:pull"'
        return Reply(401, headers={"www-authenticate": realm})

    with serving(answer) as server:
        return ask(image_on(server)), server


def test_an_anonymous_token_is_fetched_where_the_registry_wants_one() -> None:
    said, server = registry(Reply(200))
    assert said.there is There.EXISTS
    assert server.paths[1] == "/token?scope=repository%3Anvidia%2Fcuda%3Apull&service=registry"
    assert "authorization" not in server.asked[1][2]


def test_a_404_behind_the_token_is_a_no() -> None:
    assert registry(Reply(404))[0].there is There.MISSING


@pytest.mark.parametrize(
    ("status", "words"), [(401, "private, or not there"), (429, "rate-limited"), (403, "access denied")]
)
def test_a_refusal_behind_the_token_confirms_nothing(status: int, words: str) -> None:
    said, _ = registry(Reply(status))
    assert said.there is There.NOT_CONFIRMED
    assert words in said.why


@pytest.mark.parametrize(
    "token", [Reply(200, b"<html>"), Reply(200, b"[]"), Reply(200, b'{"token": "a\\nb"}'), Reply(503), Reply(404)]
)
def test_a_token_that_is_none_confirms_nothing(token: Reply) -> None:
    assert registry(Reply(200), token=token)[0].there is There.NOT_CONFIRMED


@pytest.mark.parametrize("realm", ["", "file:///etc/passwd", "ftp://127.0.0.1/"])
def test_a_token_is_not_fetched_from_anywhere_but_the_web(realm: str) -> None:
    reply = Reply(401, headers={"www-authenticate": f'Bearer realm="{realm}"'})
    with serving(lambda path, headers: reply) as server:
        assert ask(image_on(server)).there is There.NOT_CONFIRMED


def test_a_registry_that_is_asked_under_another_name_is_asked_there() -> None:
    with serving(lambda path, headers: Reply(200)) as server:
        image = BaseImage("docker.io", "library/ubuntu", "22.04")
        assert ask(image, apis={"docker.io": server.host}).there is There.EXISTS
    assert server.paths == ["/v2/library/ubuntu/manifests/22.04"]
