"""Uploaded files, mounts, and the store for arguments and results that are too big for a message."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.entities import Topic, new_id
from preflight.sandbox.control_plane.plane import Plane
from preflight.threads import served


class Blobs(Topic):
    async def mount_batched_check_existence(
        self, request: pb.MountBatchedCheckExistenceRequest
    ) -> pb.MountBatchedCheckExistenceResponse:
        missing = [h for h in request.sha256_hex_hashes if not self.plane.file(h).exists()]
        return pb.MountBatchedCheckExistenceResponse(
            missing_sha256_hex_hashes=[] if self.plane.scenario.permissive else missing
        )

    async def mount_put_file(self, request: pb.MountPutFileRequest) -> pb.MountPutFileResponse:
        file = self.plane.file(request.sha256_hex)
        if request.WhichOneof("data_oneof"):
            file.write_bytes(self.plane.blobs[request.data_blob_id] if request.data_blob_id else request.data)
        return pb.MountPutFileResponse(exists=file.exists())

    async def mount_get_or_create(self, request: pb.MountGetOrCreateRequest) -> pb.MountGetOrCreateResponse:
        """The client's and Python's own mounts (namespace GLOBAL) are empty here.

        The id is by content: it is part of the image that holds the mount; a new id would build that image again.
        """
        rows = sorted(f.SerializeToString(deterministic=True) for f in request.files)
        mount_id = "mo-" + hashlib.sha256(request.deployment_name.encode() + b"".join(rows)).hexdigest()[:22]
        self.plane.mounts[mount_id] = request
        metadata = pb.MountHandleMetadata(content_checksum_sha256_hex=mount_id)
        return pb.MountGetOrCreateResponse(mount_id=mount_id, handle_metadata=metadata)

    async def blob_create(self, request: pb.BlobCreateRequest) -> pb.BlobCreateResponse:
        """Clients read the plural fields; the singular one is for old ones."""
        blob_id = new_id("bl")
        url = f"{self.plane.blob_url}/{blob_id}"
        return pb.BlobCreateResponse(blob_id=blob_id, blob_ids=[blob_id], upload_urls=pb.UploadUrlList(items=[url]))

    async def blob_get(self, request: pb.BlobGetRequest) -> pb.BlobGetResponse:
        return pb.BlobGetResponse(download_url=f"{self.plane.blob_url}/{request.blob_id}")


@contextmanager
def serving(plane: Plane) -> Iterator[None]:
    """Tells the plane the URL it listens on; an upload is answered with its MD5, as S3 does."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_PUT(self) -> None:
            body = plane.blobs[self.path[1:]] = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(200, etag=hashlib.md5(body, usedforsecurity=False).hexdigest())

        def do_GET(self) -> None:
            body = plane.blobs.get(self.path[1:])
            self._answer(404 if body is None else 200, body or b"")

        def _answer(self, status: int, body: bytes = b"", etag: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if etag:
                self.send_header("ETag", f'"{etag}"')
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Not a line a request."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, served(server):
        plane.blob_url = f"http://127.0.0.1:{server.server_port}"
        yield
