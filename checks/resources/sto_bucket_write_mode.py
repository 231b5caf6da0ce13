"""Nothing is written to a bucket mount in a way it does not support.

Looks at
    Functions with a bucket mount: `open(…, "a")`, "r+" and "w+", `np.savez`, `SummaryWriter` and `torch.save` on a
    path below the mount.
Why it matters
    A bucket mount writes whole objects from front to back. Appending and seeking fail with an input/output error,
    in the middle of the run.
Example
    before   open("/bucket/log.txt", "a").write(line)
    after    open("/tmp/log.txt", "a").write(line)   # copied to /bucket when it is whole
How to fix
    Write to local disk or a Volume, and copy the file to the bucket when it is complete.
Source
    modal.com/docs/guide/cloud-bucket-mounts (mountpoint for S3: sequential writes of new files only).
"""

import ast
import re

from preflight.api import Findings, Function, Recipe, app, rule, warning
from preflight.rules.subjects import FUNCTIONS, syntax

WRITERS = re.compile(r"^(?:np|numpy)\.savez(?:_compressed)?$|^torch\.save$|(?:^|\.)SummaryWriter$")
REWRITES = re.compile(r"^(?:a|r\+|w\+|x\+|rb\+|wb\+|ab|a\+)")


@rule("RES700", FUNCTIONS.only(lambda f: f.mounts, "function with a bucket mount"))
def find(recipe: Recipe, function: Function) -> Findings:
    if function.where.path != recipe.source.path:
        return
    paths = [p.rstrip("/") for p, m in function.volumes.items() if isinstance(m, app.BucketMount)]
    for call in app.calls_in(*app.defs_of(function)):
        how = _how(call)
        below = next((s for s in app.strings_in(call) if any(_is_below(str(s.value), p) for p in paths)), None)
        if how and below is not None:
            yield warning(
                f"{how} writes to {below.value!r}, below a bucket mount: it takes whole files, front to back",
                "write it to local disk or a Volume, and copy it to the bucket when it is complete",
                syntax(recipe).where(call),
                why="the write fails with an input/output error in the middle of the run",
            )


def _how(call: ast.Call) -> str:
    name = app.dotted(call.func)
    if WRITERS.search(name):
        return f"{name}()"
    if name == "open":
        given = call.args[1] if len(call.args) > 1 else next((k.value for k in call.keywords if k.arg == "mode"), None)
        if isinstance(given, ast.Constant) and isinstance(given.value, str) and REWRITES.match(given.value):
            return f"open(…, {given.value!r})"
    return ""


def _is_below(text: str, path: str) -> bool:
    return text == path or text.startswith(path + "/")
