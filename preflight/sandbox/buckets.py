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
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from preflight.sandbox.state import Storage
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


class Refused(Exception):
    """The error's code and message, its HTTP status and the region of the bucket, where it tells that."""

    def __init__(self, status: int, code: str, message: str, region: str = "") -> None:
        self.status, self.code, self.message, self.region = status, code, message, region

    def response(self, method: str, bucket: str) -> Response:
        from werkzeug.wrappers import Response

        fields = {"Code": self.code, "Message": self.message}
        if self.code == "PermanentRedirect":
            fields |= {"Endpoint": f"{bucket}.s3.{self.region}.amazonaws.com", "Bucket": bucket}
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
        method, query = environ["REQUEST_METHOD"], environ.get("QUERY_STRING", "")
        name, _, key = environ["PATH_INFO"].lstrip("/").partition("/")
        action = ACTIONS.get((method, bool(key)), "s3:PutBucketPolicy")
        if method == "GET" and query.startswith("location"):
            action = "s3:GetBucketLocation"
        try:
            if scope := SCOPE.search(environ.get("HTTP_AUTHORIZATION", "")):
                self._let_in(action, name, key, scope)
        except Refused as e:
            return e.response(method, name)(environ, start_response)
        return self._behind(environ, start_response)

    def _let_in(self, action: str, name: str, key: str, scope: re.Match[str]) -> None:
        """Raises Refused."""
        if scope["key"] != self._storage.access_key_id:
            text = "The AWS Access Key Id you provided does not exist in our records."
            raise Refused(403, "InvalidAccessKeyId", text)
        bucket = self._buckets.get(name)
        if scope["service"] != "s3" or bucket is None:
            return
        if bucket.region != scope["region"]:
            text = (
                "The bucket you are attempting to access must be addressed using the specified endpoint. "
                "Please send all future requests to this endpoint."
            )
            raise Refused(301, "PermanentRedirect", text, bucket.region)
        if bucket.access == "denied":
            arn = f"arn:aws:s3:::{name}/{key}" if key else f"arn:aws:s3:::{name}"
            text = (
                f'User: {USER} is not authorized to perform: {action} on resource: "{arn}" '
                f"because no identity-based policy allows the {action} action"
            )
            raise Refused(403, "AccessDenied", text, bucket.region)


@contextmanager
def serving(storage: Storage) -> Iterator[str]:
    """Yields the endpoint's URL; the buckets are seeded before anybody can ask."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    class Quiet(MotoRequestHandler):
        def log(self, type: str, message: str, *args: object) -> None:
            """Not a line a request."""

    for bucket in storage.buckets:
        _backend().create_bucket(bucket.name, bucket.region)
        for key, text in bucket.objects.items():
            put(bucket.name, key, text.encode())
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
