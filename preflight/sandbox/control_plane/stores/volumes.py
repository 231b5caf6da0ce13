"""Volumes: a folder each, whose files the client puts, lists, reads and removes.  Containers see copies (``disk``)."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from preflight.sandbox.control_plane.entities import Topic
from preflight.sandbox.control_plane.stores.stored import Volume

BLOCK_BYTES = 8 * 2**20  # of a file of version 2, as the client cuts it
Listed = pb.VolumeListFilesRequest | pb.VolumeListFiles2Request
Removed = pb.VolumeRemoveFileRequest | pb.VolumeRemoveFile2Request
Copied = pb.VolumeCopyFilesRequest | pb.VolumeCopyFiles2Request


class Volumes(Topic):
    async def volume_rename(self, request: pb.VolumeRenameRequest) -> None:
        self.shelf.get(Volume, request.volume_id).name = request.name

    async def volume_put_files(self, request: pb.VolumePutFilesRequest) -> None:
        for file in request.files:
            target = self._target(request, file.filename)
            shutil.copyfile(self.plane.file(file.sha256_hex), target)
            target.chmod(file.mode or 0o644)

    async def volume_put_files2(self, request: pb.VolumePutFiles2Request) -> pb.VolumePutFiles2Response:
        """First it names the blocks that it has not seen, with a URL for each; asked again, it writes the files."""
        missing = [
            pb.VolumePutFiles2Response.MissingBlock(
                file_index=n, block_index=m, put_url=f"{self.plane.blob_url}/{block.contents_sha256.hex()}"
            )
            for n, file in enumerate(request.files)
            for m, block in enumerate(file.blocks)
            if block.contents_sha256.hex() not in self.plane.blobs
        ]
        for file in request.files if not missing else ():
            target = self._target(request, file.path)
            target.write_bytes(b"".join(self.plane.blobs[b.contents_sha256.hex()] for b in file.blocks)[: file.size])
            target.chmod(file.mode or 0o644)
        return pb.VolumePutFiles2Response(missing_blocks=missing)

    def _target(self, request: pb.VolumePutFilesRequest | pb.VolumePutFiles2Request, path: str) -> Path:
        target = self._path(request.volume_id, path)
        if target.exists() and request.disallow_overwrite_existing_files:
            raise GRPCError(Status.ALREADY_EXISTS, f"{path}: already exists")
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _path(self, volume_id: str, path: str) -> Path:
        """Inside the volume's folder, whatever links a function has left there."""
        self.shelf.get(Volume, volume_id)
        top = self.plane.volume(volume_id)
        found = (top / path.lstrip("/")).resolve()
        if not found.is_relative_to(top.resolve()):
            raise GRPCError(Status.INVALID_ARGUMENT, f"{path}: not a path of the volume")
        return found

    def _there(self, volume_id: str, path: str) -> Path:
        found = self._path(volume_id, path)
        if not found.exists():
            raise GRPCError(Status.NOT_FOUND, f"{path}: no such file or directory")
        return found

    def _entries(self, request: Listed) -> Iterator[pb.FileEntry]:
        top, found = self.plane.volume(request.volume_id), self._there(request.volume_id, request.path)
        paths = [found] if found.is_file() else sorted(found.rglob("*") if request.recursive else found.iterdir())
        for path in paths:
            state = path.lstat()
            kind = pb.FileEntry.DIRECTORY if path.is_dir() else pb.FileEntry.FILE
            name = str(path.relative_to(top.resolve()))
            yield pb.FileEntry(path=name, type=kind, mtime=int(state.st_mtime), size=state.st_size)

    async def volume_list_files(self, request: pb.VolumeListFilesRequest) -> AsyncIterator[pb.VolumeListFilesResponse]:
        yield pb.VolumeListFilesResponse(entries=self._entries(request))

    async def volume_list_files2(
        self, request: pb.VolumeListFiles2Request
    ) -> AsyncIterator[pb.VolumeListFiles2Response]:
        yield pb.VolumeListFiles2Response(entries=self._entries(request))

    async def volume_get_file2(self, request: pb.VolumeGetFile2Request) -> pb.VolumeGetFile2Response:
        found = self._there(request.volume_id, request.path)
        if found.is_dir():
            raise GRPCError(Status.INVALID_ARGUMENT, f"{request.path}: is a directory")
        data = found.read_bytes()
        part = data[request.start : request.start + request.len if request.len else None]
        urls = []
        for at in range(0, len(part), BLOCK_BYTES):
            block = part[at : at + BLOCK_BYTES]
            name = hashlib.sha256(block).hexdigest()
            self.plane.blobs[name] = block
            urls.append(f"{self.plane.blob_url}/{name}")
        return pb.VolumeGetFile2Response(get_urls=urls, size=len(data), start=request.start, len=len(part))

    async def volume_remove_file(self, request: Removed) -> None:
        found = self._there(request.volume_id, request.path)
        if found.is_dir() and not request.recursive:
            raise GRPCError(Status.INVALID_ARGUMENT, f"{request.path}: is a directory; remove it recursively")
        shutil.rmtree(found) if found.is_dir() else found.unlink()

    volume_remove_file2 = volume_remove_file

    async def volume_copy_files(self, request: Copied) -> None:
        target = self._path(request.volume_id, request.dst_path)
        for path in request.src_paths:
            source = self._there(request.volume_id, path)
            into = target / source.name if target.is_dir() or len(request.src_paths) > 1 else target
            into.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, into, symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy2(source, into)

    volume_copy_files2 = volume_copy_files
