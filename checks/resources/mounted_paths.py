"""What is written below a mount."""

import ast
import re

from preflight.api import Findings, Function, Recipe, advice, app, rule, warning
from preflight.rules.subjects import FUNCTIONS, syntax

WRITERS = re.compile(r"^(?:np|numpy)\.savez(?:_compressed)?$|^torch\.save$|(?:^|\.)SummaryWriter$")
REWRITES = re.compile(r"^(?:a|r\+|w\+|x\+|rb\+|wb\+|ab|a\+)")


@rule("RES700", FUNCTIONS.only(lambda f: f.mounts, "function with a bucket mount"))
def sto_bucket_write_mode(recipe: Recipe, function: Function) -> Findings:
    """Nothing is written to a bucket mount in a way it does not support.

    Looks at: Functions with a bucket mount: `open(…, "a")`, "r+" and "w+", `np.savez`, `SummaryWriter` and `torch.save`
        on a path below the mount.
    Why it matters: A bucket mount writes whole objects from front to back. Appending and seeking fail with an
        input/output error, in the middle of the run.
    Example:
        before   open("/bucket/log.txt", "a").write(line)
        after    open("/tmp/log.txt", "a").write(line)   # copied to /bucket when it is whole
    How to fix: Write to local disk or a Volume, and copy the file to the bucket when it is complete.
    Source: modal.com/docs/guide/cloud-bucket-mounts (mountpoint for S3: sequential writes of new files only).
    """
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


MAKES = re.compile(r"^os\.(?:makedirs|mkdir)$|^torch\.save$|^(?:np|numpy)\.save")


@rule("RES701", FUNCTIONS.only(lambda f: any(m.is_read_only for m in f.mounts), "function with a read-only mount"))
def sto_write_readonly_mount(recipe: Recipe, function: Function) -> Findings:
    """Nothing is written below a read-only mount.

    Looks at: Functions with a bucket mount of `read_only=True`: `open(…, "w")`, `mkdir`, `os.makedirs` and `torch.save`
        with a path below it.
    Why it matters: The write fails with "Read-only file system" when the run gets there.
    Example:
        before   os.makedirs("/data/cache", exist_ok=True)
        after    os.makedirs("/tmp/cache", exist_ok=True)
    How to fix: Write to another path, or mount without `read_only=True`.
    Source: modal 1.6.4 CloudBucketMount(read_only=True).
    """
    if function.where.path != recipe.source.path:
        return
    paths = [p.rstrip("/") for p, m in function.volumes.items() if isinstance(m, app.BucketMount) and m.is_read_only]
    for call in app.calls_in(*app.defs_of(function)):
        target = _written(call)
        if target and any(_is_below(target, p) for p in paths):
            yield advice(
                f"{target!r} is written below a read-only mount",
                "write elsewhere, or mount without read_only=True",
                syntax(recipe).where(call),
                why="the run stops there with 'Read-only file system'",
            )


def _written(call: ast.Call) -> str:
    """The literal path that the call writes; "" for none."""
    name = app.dotted(call.func)
    texts = [a.value if isinstance(a, ast.Constant) and isinstance(a.value, str) else "" for a in call.args]
    if name == "open" and len(texts) > 1 and texts[1][:1] in ("w", "a", "x"):
        return texts[0]
    if MAKES.search(name):
        return next((t for t in texts if t.startswith("/")), "")
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("mkdir", "write_text", "write_bytes", "touch"):
        inner = call.func.value
        if isinstance(inner, ast.Call) and app.dotted(inner.func).endswith("Path") and len(inner.args) == 1:
            first = inner.args[0]
            return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return ""
