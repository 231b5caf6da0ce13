"""What S3, and what stands in its place, may answer: through the real boto3, against a server of our own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import pytest

from checks.storage import s3_bucket
from preflight.app.lookups import PLANNED_FUNCTION, RECIPE
from preflight.engine.run import Limits
from preflight.lookups import LookupFailed
from preflight.model import Status
from preflight.problems import Kind, Problem
from preflight.remote.s3 import api as s3_api
from preflight.remote.s3.answer import buckets_answer, unanswered
from preflight.remote.s3.api import LookedAt, S3Place, S3Sample
from preflight.settings import S3Settings, Settings
from preflight.testing import run_checks
from tests.remote.server import Reply, Server, serving

PLACE = S3Place(bucket="eeg", prefix="t/", region=None, endpoint=None, named_by="train, app.py:9", secret="aws")
HEAD = Reply(200, b"", {"x-amz-bucket-region": "us-east-1"})
BYTE = Reply(206, b"x", {"content-range": "bytes 0-0/9"})


def error(status: int, code: str, message: str = "", **headers: str) -> Reply:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return Reply(status, body, {"content-type": "application/xml", **headers})


def listing(*objects: tuple[str, int], truncated: bool = False, token: str = "") -> Reply:
    rows = "".join(f"<Contents><Key>{k}</Key><Size>{n}</Size></Contents>" for k, n in objects)
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    is_more = str(truncated).lower()
    body = f"<ListBucketResult><Name>eeg</Name><IsTruncated>{is_more}</IsTruncated>{more}{rows}</ListBucketResult>"
    return Reply(200, body.encode(), {"content-type": "application/xml"})


DATA = listing(("t/a", 9))


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/no/such/file")


@contextmanager
def s3(*, head: Reply = HEAD, pages: tuple[Reply, ...] = (DATA,), read: Reply = BYTE) -> Iterator[Server]:
    """The last page repeats; the method decides which of the three is answered."""
    left = list(pages)

    def answer(path: str, headers: object) -> Reply:
        if server.asked[-1][0] == "HEAD":
            return head
        if "list-type" in path:
            return left.pop(0) if len(left) > 1 else left[0]
        return read

    with serving(answer) as server:
        yield server


def found(server: Server, most: int = 1000, **place: object) -> S3Sample:
    return s3_api.sample(replace(PLACE, endpoint=server.url, is_path_style=True, **place), most=most)  # type: ignore[arg-type]


def told(server: Server, **place: object) -> tuple[Problem, str]:
    """The problem, and the remedy that the check gives; "" where nothing is known of the bucket."""
    with pytest.raises(Problem) as raised:
        found(server, **place)
    seen = LookedAt(replace(PLACE, **place), raised.value)  # type: ignore[arg-type]
    answer, silent = buckets_answer((seen,), whose="this machine's", renew="renew them")
    assert (answer is None) == bool(silent)
    return raised.value, answer.findings[0].remedy if answer else ""


def test_data_is_counted_and_one_byte_is_read() -> None:
    with s3(pages=(listing(("t/", 0), ("t/a", 9), ("t/b", 0)),)) as server:
        seen = found(server)
    assert (seen.objects, seen.bytes, seen.read_key, seen.is_all) == (2, 9, "t/a", True)
    assert seen.bucket_region == "us-east-1"


DENIED = "User: arn:aws:iam::1:user/a is not authorized to perform: {} on resource: x because {}"


@pytest.mark.parametrize(
    ("page", "read", "kind", "remedy"),
    [
        (error(404, "NoSuchBucket"), BYTE, Kind.NOT_FOUND, "correct the name"),
        (error(403, "AccessDenied"), BYTE, Kind.FORBIDDEN, "allow s3:ListBucket on arn:aws:s3:::eeg"),
        (DATA, error(403, "AccessDenied"), Kind.FORBIDDEN, "allow s3:GetObject on arn:aws:s3:::eeg/*"),
        (
            DATA,
            error(403, "AccessDenied", DENIED.format("kms:Decrypt", "no identity-based policy allows it")),
            Kind.FORBIDDEN,
            "allow kms:Decrypt on the key",
        ),
        (
            error(403, "AccessDenied", DENIED.format("s3:ListBucket", "explicit deny in a resource-based policy")),
            BYTE,
            Kind.FORBIDDEN,
            "take the Deny of s3:ListBucket out of the bucket's policy",
        ),
        (error(403, "AllAccessDisabled"), BYTE, Kind.FORBIDDEN, "ask the owner"),
        (DATA, error(403, "InvalidObjectState", "in Glacier"), Kind.FORBIDDEN, "restore the objects"),
        (error(403, "RequestTimeTooSkewed"), BYTE, Kind.REFUSED, "set this machine's clock"),
        (error(403, "InvalidAccessKeyId"), BYTE, Kind.REFUSED, "renew them"),
        (error(400, "ExpiredToken"), BYTE, Kind.REFUSED, "renew them"),
    ],
)
def test_each_refusal_has_its_cause_and_its_remedy(page: Reply, read: Reply, kind: Kind, remedy: str) -> None:
    with s3(pages=(page,), read=read) as server:
        problem, given = told(server)
    assert problem.kind is kind
    assert given.startswith(remedy)


@pytest.mark.parametrize(
    ("head", "page", "kind"),
    [
        (HEAD, error(503, "SlowDown"), Kind.THROTTLED),
        (HEAD, error(500, "InternalError"), Kind.THROTTLED),
        (Reply(503), DATA, Kind.THROTTLED),
        (HEAD, Reply(200, b"", {"content-type": "application/xml"}), Kind.UNEXPECTED),
        (HEAD, Reply(200, b"<html><body>Sign in</body></html>", {"content-type": "text/html"}), Kind.UNEXPECTED),
        (HEAD, Reply(200, b"not xml at all"), Kind.UNEXPECTED),
        (HEAD, error(501, "NotImplemented"), Kind.UNEXPECTED),
        (Reply(301), DATA, Kind.WRONG_REGION),
        (Reply(307), DATA, Kind.WRONG_REGION),
    ],
)
def test_what_says_nothing_of_the_bucket_is_no_verdict_on_it(head: Reply, page: Reply, kind: Kind) -> None:
    with s3(head=head, pages=(page,)) as server:
        problem, remedy = told(server)
    assert (problem.kind, remedy) == (kind, "")
    assert problem.can_pass == (kind is Kind.THROTTLED)
    assert "recursion" not in problem.message and "local variable" not in problem.message


@pytest.mark.parametrize("status", [400, 403])
def test_a_refused_head_is_settled_by_the_listing(status: int) -> None:
    with s3(head=Reply(status)) as server:
        assert found(server).objects == 1


def test_one_slow_down_is_asked_again() -> None:
    with s3(pages=(error(503, "SlowDown"), DATA)) as server:
        assert found(server).objects == 1


def test_a_region_that_s3_names_is_followed_and_another_one_in_the_settings_is_told() -> None:
    moved = error(301, "PermanentRedirect", **{"x-amz-bucket-region": "eu-west-1"})

    def answer(path: str, headers: Mapping[str, str]) -> Reply:
        is_head = server.asked[-1][0] == "HEAD"
        if "/eu-west-1/" not in headers["authorization"]:
            return replace(moved, body=b"") if is_head else moved
        return replace(HEAD, headers=moved.headers) if is_head else DATA if "list-type" in path else BYTE

    with serving(answer) as server:
        seen = found(server)
    assert (seen.objects, seen.bucket_region) == (1, "eu-west-1")
    set_wrong = replace(PLACE, region="us-east-1")
    answered, _ = buckets_answer((LookedAt(set_wrong, seen),), whose="", renew="x")
    assert answered is not None and answered.findings[0].remedy.startswith("set AWS_REGION=eu-west-1")


def test_the_shells_region_says_nothing_of_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with s3() as server:
        answer, _ = buckets_answer((LookedAt(PLACE, found(server)),), whose="", renew="x")
    assert answer is not None and answer.findings == ()


def test_an_object_that_is_gone_by_now_is_not_a_missing_bucket() -> None:
    with s3(read=error(404, "NoSuchKey")) as server:
        problem, remedy = told(server)
    assert (problem.kind, remedy) == (Kind.THROTTLED, "")
    assert "was listed and is gone" in problem.message


def test_a_thousand_folder_markers_before_the_data_are_listed_over() -> None:
    markers = listing(*((f"t/{n}/", 0) for n in range(1000)), truncated=True, token="2")
    with s3(pages=(markers, listing(("t/x/a", 5)))) as server:
        assert (found(server).objects, found(server).read_key) == (1, "t/x/a")


def test_a_listing_that_never_ends_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_api, "LIST_S", 0.3)
    began = time.monotonic()
    with s3(pages=(listing(("t/a", 1), truncated=True, token="more"),)) as server:
        seen = found(server, most=10_000_000)
    assert (seen.is_all, seen.read_key) == (False, "t/a")
    assert time.monotonic() - began < 5


def test_a_truncated_page_without_a_token_is_the_last_and_not_all() -> None:
    with s3(pages=(listing(("t/a", 1), truncated=True),)) as server:
        assert found(server).is_all is False


@pytest.mark.parametrize("most", [0, -5])
def test_a_sample_of_nothing_lists_one_page(most: int) -> None:
    with s3() as server:
        assert found(server, most).objects == 1


def test_the_one_who_asks_pays_where_the_mount_says_so() -> None:
    with s3() as server:
        found(server, is_requester_pays=True)
        assert all("x-amz-request-payer" in headers for method, _, headers in server.asked if method == "GET")
        server.asked.clear()
        found(server)
        assert not any("x-amz-request-payer" in headers for _, _, headers in server.asked)


def test_a_mount_without_a_secret_is_asked_without_a_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with s3() as server:
        found(server, is_public=True)
        assert not any("authorization" in headers for _, _, headers in server.asked)


def test_the_endpoint_of_the_shell_is_told_and_that_of_the_app_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with s3() as server:
        assert found(server).asked_of == ""
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        shell = replace(PLACE, is_path_style=True)
        assert s3_api.sample(shell, most=10).asked_of == server.url


def test_a_token_with_a_line_break_is_named_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "IQoJcanary\n")
    with s3() as server:
        problem, _ = told(server)
    assert problem.message == "a credential holds a line break"
    assert "canary" not in f"{problem} {problem.__cause__}"


def test_no_credentials_and_an_sso_session_that_is_over_say_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    config = tmp_path_factory.mktemp("aws") / "config"
    config.write_text(
        "[profile sso]\nsso_start_url = https://example.awsapps.com/start\nsso_region = us-east-1\n"
        "sso_account_id = 123456789012\nsso_role_name = reader\n",
        encoding="utf-8",
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with s3() as server:
        assert told(server)[0].kind is Kind.NOT_SIGNED_IN
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_PROFILE", "sso")
        problem, _ = told(server)
    assert (problem.kind, problem.hint) == (Kind.NOT_SIGNED_IN, "aws sso login")


def test_s3_express_that_opens_no_session_is_named() -> None:
    with serving(lambda path, headers: Reply(200, b"<CreateSessionResult/>")) as server:
        problem, remedy = told(server, bucket="eeg--use1-az4--x-s3")
    assert (problem.kind, remedy) == (Kind.UNEXPECTED, "")
    assert problem.message != "'Credentials'"


def test_a_refused_port_is_unreachable_and_names_the_place() -> None:
    place = replace(PLACE, endpoint="http://127.0.0.1:9", is_path_style=True)
    began = time.monotonic()
    with pytest.raises(Problem) as raised:
        s3_api.sample(place, most=10)
    assert raised.value.kind is Kind.UNREACHABLE and time.monotonic() - began < 8
    assert "s3://eeg/t/" in unanswered((LookedAt(place, raised.value),))


def test_throttling_is_asked_again_while_the_user_waits() -> None:
    slow = error(503, "SlowDown")
    with s3(pages=(slow, slow, DATA)) as server:
        settings = Settings(s3=S3Settings(bucket="eeg", prefix="t/", endpoint=server.url))
        given = {RECIPE: LookupFailed(RECIPE, "no app"), PLANNED_FUNCTION: LookupFailed(RECIPE, "no app")}
        once = run_checks(s3_bucket.CHECK, given=given, settings=settings).results[0]
        assert (once.status, "throttled" in once.reason) == (Status.BLOCKED, True)
        # the third page and those after it hold data
        report = run_checks(s3_bucket.CHECK, given=given, settings=settings, limits=Limits(wait_s=10))
    assert report.results[0].status is Status.PASS
