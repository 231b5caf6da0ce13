"""No GPU waits while files are moved.

Looks at
    Functions with `gpu=` whose whole body copies, lists, downloads or uploads files: every call in it is one of
    shutil, os, pathlib, glob, zipfile, tarfile, an S3 or Hub download, a shell copy, printing, or a Volume's
    commit.  One call that it does not know keeps it silent.
Why it matters
    The GPU is billed by the second from the container's start, and does nothing.
Example
    before   @app.function(gpu="A100-80GB", volumes={"/data": data})
             def sync(): shutil.copytree("/mnt/s3", "/data")
    after    @app.function(volumes={"/data": data})
             def sync(): shutil.copytree("/mnt/s3", "/data")
How to fix
    Leave `gpu=` out of the decorator; the files move as fast without it.
Source
    modal.com/pricing: a GPU is billed while the container lives.
"""

import ast
import re

from preflight.api import Findings, Function, Recipe, app, rule, warning
from preflight.rules.subjects import GPU_FUNCTIONS

MOVES = re.compile(
    r"^(?:shutil\.(?:copy|copy2|copyfile|copytree|move|unpack_archive|make_archive)"
    r"|(?:huggingface_hub\.)?(?:snapshot_download|hf_hub_download)|urllib\.request\.urlretrieve"
    r"|gdown\.download|wget\.download)$|\.(?:download_file|upload_file|download_fileobj|extractall)$"
)
HARMLESS = re.compile(
    r"^(?:print|len|str|int|float|sorted|list|set|dict|tuple|sum|min|max|range|enumerate|zip|open|round|any|all"
    r"|isinstance|getattr|Path|pathlib\.Path|datetime\.now|boto3\.client|boto3\.resource|tqdm"
    r"|(?:os|shutil|glob|time|json|logging|logger|log|tarfile|zipfile|sys|pathlib)\.[\w.]+)$"
    r"|\.(?:exists|mkdir|iterdir|glob|rglob|stat|is_dir|is_file|unlink|commit|reload|read|write|read_text|write_text"
    r"|append|extend|join|format|split|strip|startswith|endswith|items|keys|values|get|relative_to|resolve|paginate"
    r"|get_paginator|list_objects_v2|info|debug|warning|error|replace|close|flush|add|update|as_posix|sort)$"
)
RUNS = frozenset({"subprocess.run", "subprocess.check_call", "subprocess.call", "os.system"})
SHELL_MOVES = re.compile(r"^\s*(?:sudo\s+)?(?:cp|mv|rsync|aws\s+s3|gsutil|wget|curl|tar|unzip|rclone|mkdir|ls|du|df)\b")


@rule("RES640", GPU_FUNCTIONS.only(lambda f: f.kind == "function" and not app.is_web(f)))
def find(recipe: Recipe, function: Function) -> Findings:
    moved = _only_moves(function)
    if moved:
        yield warning(
            f"{function.name} has a GPU and only moves files ({moved})",
            "leave gpu= out of its decorator",
            app.keyword_where(recipe, function.call, "gpu"),
            why="the GPU is billed for as long as the copy takes, and is not used",
            fix=app.keyword_dropped(recipe.source, function.call, "gpu", is_safe=True),
        )


def _only_moves(function: Function) -> str:
    """The call that moves, when every call of the body is one of files; "" otherwise."""
    moved = ""
    for call in app.calls_in(*app.defs_of(function)):
        name = app.dotted(call.func) or (f".{call.func.attr}" if isinstance(call.func, ast.Attribute) else "")
        if name in RUNS:
            first = next((str(s.value) for s in app.strings_in(call.args[0])), "") if call.args else ""
            if not SHELL_MOVES.match(first):
                return ""
            moved = moved or f"{name}: {first.split()[0]}"
        elif MOVES.search(name):
            moved = moved or name.lstrip(".")
        elif not HARMLESS.search(name):
            return ""
    return moved
