"""The S3 of the sandbox: moto's backend behind a layer that refuses what S3 refuses.

The layer asks three things of every signed request before moto sees it: whether the access key is the
scenario's (403 InvalidAccessKeyId), whether it is signed for the bucket's region (301 PermanentRedirect with
``x-amz-bucket-region``) and whether the bucket lets it in (403 AccessDenied, with the action in the message).

Where it departs from S3: signatures are not verified, only the key id and region in them; every denial is an
identity policy's; a wrong region is always the 301 of the global endpoint, never the 400
AuthorizationHeaderMalformed or the 307 of a fresh bucket; and whatever moto itself does otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from preflight.sandbox.state import Access, Bucket, Storage
from preflight.threads import served

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from moto.s3.models import S3Backend
    from werkzeug.wrappers import Response

SCOPE = re.compile(r"Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
ACTIONS = {
    ("GET", False): "s3:ListBucket",
    ("HEAD", False): "s3:ListBucket",
    ("GET", True): "s3:GetObject",
    ("HEAD", True): "s3:GetObject",
    ("PUT", True): "s3:PutObject",
    ("DELETE", True): "s3:DeleteObject",
}
USER = "arn:aws:iam::123456789012:user/alice"


@dataclass(frozen=True)
class Refusal:
    status: int
    code: str
    message: str
    bucket: str
    region: str = ""

    def response(self, method: str) -> Response:
        from werkzeug.wrappers import Response

        fields = {"Code": self.code, "Message": self.message}
        if self.code == "PermanentRedirect":
            fields |= {"Endpoint": f"{self.bucket}.s3.{self.region}.amazonaws.com", "Bucket": self.bucket}
        inner = "".join(f"<{k}>{escape(v)}</{k}>" for k, v in fields.items())
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}<RequestId>SANDBOX</RequestId></Error>'
        headers = {"x-amz-bucket-region": self.region} if self.region else {}
        # S3 sends no body to HEAD: the client sees the number only
        return Response("" if method == "HEAD" else body, self.status, headers, content_type="application/xml")


class Gate:
    """WSGI in front of moto."""

    def __init__(self, storage: Storage, behind: WSGIApplication) -> None:
        self._storage = storage
        self._buckets = {b.name: b for b in storage.buckets}
        self._behind = behind

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        name, _, key = path.lstrip("/").partition("/")
        scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        action = self._action(method, key, environ.get("QUERY_STRING", ""))
        refusal = self._refusal(action, name, key, scope) if scope else None
        if refusal is None:
            return self._behind(environ, start_response)
        return refusal.response(method)(environ, start_response)

    @staticmethod
    def _action(method: str, key: str, query: str) -> str:
        if method == "GET" and query.startswith("location"):
            return "s3:GetBucketLocation"
        return ACTIONS.get((method, bool(key)), "s3:PutBucketPolicy")

    def _refusal(self, action: str, name: str, key: str, scope: re.Match[str]) -> Refusal | None:
        if scope["key"] != self._storage.access_key_id:
            text = "The AWS Access Key Id you provided does not exist in our records."
            return Refusal(403, "InvalidAccessKeyId", text, name)
        bucket = self._buckets.get(name)
        if scope["service"] != "s3" or bucket is None:
            return None
        if bucket.region != scope["region"]:
            text = (
                "The bucket you are attempting to access must be addressed using the specified endpoint. "
                "Please send all future requests to this endpoint."
            )
            return Refusal(301, "PermanentRedirect", text, name, bucket.region)
        if bucket.access is Access.DENIED:
            arn = f"arn:aws:s3:::{name}/{key}" if key else f"arn:aws:s3:::{name}"
            text = (
                f'User: {USER} is not authorized to perform: {action} on resource: "{arn}" '
                f"because no identity-based policy allows the {action} action"
            )
            return Refusal(403, "AccessDenied", text, name, bucket.region)
        return None


@contextmanager
def serving(storage: Storage) -> Iterator[str]:
    """Yields the endpoint's URL; the buckets are seeded before anybody can ask."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    class Quiet(MotoRequestHandler):
        def log(self, type: str, message: str, *args: object) -> None:
            """Not a line a request."""

    for bucket in storage.buckets:
        _seed(bucket)
    app = Gate(storage, DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    with served(server):
        yield f"http://127.0.0.1:{server.port}"


def _backend() -> S3Backend:
    """Moto's own, in this process: no request, no client."""
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends

    backend: S3Backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    return backend


def objects(bucket: str, prefix: str) -> Iterator[tuple[str, bytes]]:
    """Keys with their data, for a mount.  Raises LookupError where there is no such bucket."""
    held = _backend().buckets.get(bucket)
    if held is None:
        raise LookupError(bucket)
    for key in list(held.keys):
        if key.startswith(prefix):
            yield key, held.keys[key].value


def put(bucket: str, key: str, data: bytes) -> None:
    _backend().put_object(bucket, key, data)


def _seed(bucket: Bucket) -> None:
    backend = _backend()
    backend.create_bucket(bucket.name, bucket.region)
    for key, text in bucket.objects.items():
        backend.put_object(bucket.name, key, text.encode())
