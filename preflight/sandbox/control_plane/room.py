"""What a container finds: its files, its mounts, its variables, and what keeps it there.

Where the machine can confine it, it sees /root, the paths that the app mounts and those of its image as on Modal, and
changes nothing outside its own folder.  Where it can't, only what the tool itself brings is run, without those paths.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from modal_proto import api_pb2 as pb

from preflight.sandbox import confine, confinement
from preflight.sandbox.control_plane import entrypoint
from preflight.sandbox.control_plane.disk import BucketCopy, NotMounted, VolumeCopy
from preflight.sandbox.control_plane.stores.stored import Secret, Volume
from preflight.sandbox.state import NO_S3

if TYPE_CHECKING:
    from preflight.sandbox.control_plane.tasks import Task

PROBE = "preflight.probe.payload"  # its containers, and no others, see the stand-ins for torch and mamba-ssm
COPY = re.compile(r"COPY (\S+) (\S+)")
RUN = "/run/preflight"  # where a confined container finds what is ours
HOME = "/root"
OF_THE_MACHINE = ("PATH", "LANG", "TZ", "LD_LIBRARY_PATH")  # that serves: what an image has, too


class Room:
    def __init__(self, task: Task) -> None:
        self.task = task
        self.plane = task.plane
        self.definition = task.function.definition
        self.dir = task.dir
        self.volumes: dict[str, list[VolumeCopy]] = {}  # by the volume's id
        self.buckets: list[BucketCopy] = []
        self.is_confined = False
        self.cwd = HOME

    async def build(self) -> None:
        """Raises NotMounted."""
        why_not = await self.plane.why_not_confined()
        self.is_confined = not why_not
        if why_not and self.plane.scenario.container.is_confined:
            raise NotMounted(f"not run here: this machine can't confine what an app does: {why_not}")
        await asyncio.to_thread(self._build)

    def _build(self) -> None:
        for name in (HOME, "/fs"):
            (self.dir / name[1:]).mkdir(parents=True)
        for image in self.plane.image_chain(self.definition.image_id):
            for command in image.definition.dockerfile_commands:
                if command.startswith("WORKDIR ") and self.is_confined:
                    self.cwd = str(Path(self.cwd, shlex.split(command)[1]))
                elif (copied := COPY.fullmatch(command)) and copied[1] == "." and image.definition.context_mount_id:
                    self._place(image.definition.context_mount_id, str(Path(self.cwd, copied[2])))
        for mount_id in self.definition.mount_ids:
            self._place(mount_id, "/")
        arguments = pb.ContainerArguments(
            task_id=self.task.id,
            function_id=self.task.function.id,
            app_id=self.task.app.id,
            function_def=self.definition,
            environment_name=self.task.app.environment,
            app_layout=self.plane.layout(self.task.app),
            serialized_params=self.task.function.parameters,
        )
        (self.dir / "arguments").write_bytes(arguments.SerializeToString())
        if self.is_confined:
            binds = [(str(self.dir / HOME[1:]), HOME, True), *self._mounts()]
            (self.dir / "plan.json").write_text(json.dumps(self._plan(binds)), encoding="utf-8")

    def _place(self, mount_id: str, under: str) -> None:
        for file in self.plane.mounts[mount_id].files if mount_id in self.plane.mounts else ():
            if file.filename.startswith("/pkg/"):
                continue  # the modal package: the interpreter has its own
            inside = Path(os.path.normpath(f"{under}/{file.filename}"))
            target = self.dir / (inside.relative_to("/") if inside.is_relative_to(HOME) else f"fs{inside}")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.plane.file(file.sha256_hex).read_bytes())
            target.chmod(file.mode or 0o644)

    def _mounts(self) -> list[tuple[str, str, bool]]:
        """Copies of what is mounted, outermost first.  Raises NotMounted."""
        found: list[tuple[str, str, bool]] = []
        for mount in self.definition.volume_mounts:
            self.plane.shelf.get(Volume, mount.volume_id)
            here = self.dir / "mounts" / str(len(found))
            copy = VolumeCopy(self.plane.volume(mount.volume_id), here, mount.read_only)
            self.volumes.setdefault(mount.volume_id, []).append(copy)
            shown = here / mount.sub_path.strip("/") if mount.sub_path else here
            shown.mkdir(parents=True, exist_ok=True)
            found.append((str(shown), mount.mount_path, not mount.read_only))
        for shared in self.definition.shared_volume_mounts:
            found.append((str(self.plane.volume(shared.shared_volume_id)), shared.mount_path, True))
        for bucket in self.definition.cloud_bucket_mounts:
            here = self.dir / "mounts" / str(len(found))
            self.buckets.append(BucketCopy(bucket.bucket_name, bucket.key_prefix, here, bucket.read_only))
            found.append((str(here), bucket.mount_path, not bucket.read_only))
        return sorted(found, key=lambda bind: bind[1].count("/"))

    def _plan(self, binds: list[tuple[str, str, bool]]) -> confine.Plan:
        """As root in an image: homes and the project are not there, but for what the interpreter needs of them."""
        plane = self.plane
        ours = [
            (self.task.socket, f"{RUN}/plane.s", True),
            (str(self.dir / "arguments"), f"{RUN}/arguments", False),
            (entrypoint.__file__, f"{RUN}/entrypoint.py", False),
            *((str(path), f"{RUN}/{path.name}", True) for path in plane.doors.values()),
        ]
        project = plane.scenario.container.project
        return {
            "folder": str(self.dir / "written"),
            "uid": 0,
            "hidden": confinement.outermost({"/home", "/root", str(Path.home()), project} - {""}),
            "veiled": confinement.outermost({*confinement.seen_by(self.python), *self._stand_ins()}),
            "copied": str(self.dir / "fs"),
            "binds": [*ours, *binds],
            "forwards": {str(port): f"{RUN}/{path.name}" for port, path in plane.doors.items()},
            "cwd": self.cwd,
        }

    @property
    def python(self) -> str:
        return self.plane.scenario.container.python or sys.executable

    @property
    def command(self) -> list[str]:
        if not self.is_confined:
            return [self.python, "-P", entrypoint.__file__, str(os.getpid())]
        return confinement.launched(self.dir / "plan.json", [self.python, "-P", f"{RUN}/entrypoint.py", "1"])

    def _stand_ins(self) -> tuple[str, ...]:
        scenario = self.plane.scenario
        is_probe = scenario.gpu.simulate and self.definition.module_name == PROBE
        return (*scenario.container.pythonpath, *(scenario.gpu.stand_ins if is_probe else ()))

    def environ(self) -> dict[str, str]:
        plane, definition = self.plane, self.definition
        home, run = (HOME, RUN) if self.is_confined else (str(self.dir / HOME[1:]), str(self.dir))
        env = {k: v for k, v in os.environ.items() if k in OF_THE_MACHINE or k.startswith("LC_")}
        env |= {"HOME": home} | plane.image_env(definition.image_id)
        for secret_id in definition.secret_ids:
            env |= plane.shelf.get(Secret, secret_id).values
        # a function that reads its bucket with boto3 must not ask the real one
        env |= {"AWS_ENDPOINT_URL": plane.s3_url or NO_S3, "AWS_EC2_METADATA_DISABLED": "true"}
        if plane.scenario.gpu.simulate:
            env["PREFLIGHT_SANDBOX"] = "1"
        return {
            **env,
            "MODAL_IS_REMOTE": "1",
            "MODAL_TASK_ID": self.task.id,
            "MODAL_SERVER_URL": f"unix://{RUN}/plane.s" if self.is_confined else f"unix://{self.task.socket}",
            "MODAL_CONTAINER_ARGUMENTS_PATH": f"{run}/arguments",
            "MODAL_IMAGE_ID": definition.image_id,
            "MODAL_ENVIRONMENT": self.task.app.environment,
            "MODAL_CLOUD_PROVIDER": "CLOUD_PROVIDER_LOCAL",
            "MODAL_CONFIG_PATH": f"{run}/no-modal.toml",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join([home, *self._stand_ins()]),
            **plane.scenario.container.env,
        }

    def commit(self, volume_id: str = "") -> None:
        """All that it has written to one volume, or everywhere."""
        for held_id, copies in self.volumes.items():
            for copy in copies if volume_id in ("", held_id) else ():
                copy.commit()
        for bucket in self.buckets if not volume_id else ():
            bucket.commit()

    def reload(self, volume_id: str) -> None:
        for copy in self.volumes.get(volume_id, ()):
            copy.reload()

    def clear(self) -> None:
        confine.clear(self.dir)
