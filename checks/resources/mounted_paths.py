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
    for call in app.calls_in(*app.defs_of(function)) if function.where.path == recipe.source.path else ():
        name, how = app.dotted(call.func), ""
        modes = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "mode")]
        if WRITERS.search(name):
            how = f"{name}()"
        elif name == "open" and modes and REWRITES.match(mode := app.text_of(modes[0])):
            how = f"open(…, {mode!r})"
        below = next(
            (text for s in app.strings_in(call) if _is_below(text := str(s.value), function.mounts_at())), None
        )
        if how and below is not None:
            yield warning(
                f"{how} writes to {below!r}, below a bucket mount: it takes whole files, front to back",
                "write it to local disk or a Volume, and copy it to the bucket when it is complete",
                syntax(recipe).where(call),
                why="the write fails with an input/output error in the middle of the run",
            )


def _is_below(text: str, paths: tuple[str, ...]) -> bool:
    return any(text == path or text.startswith(path + "/") for path in paths)


OF_A_PATH = ("mkdir", "write_text", "write_bytes", "touch")
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
    for call in app.calls_in(*app.defs_of(function)) if function.where.path == recipe.source.path else ():
        name, texts, target = app.dotted(call.func), [app.text_of(a) for a in call.args], ""
        if name == "open" and len(texts) > 1 and texts[1][:1] in ("w", "a", "x"):
            target = texts[0]
        elif MAKES.search(name):
            target = next((t for t in texts if t.startswith("/")), "")
        elif isinstance(call.func, ast.Attribute) and call.func.attr in OF_A_PATH:
            path = call.func.value
            if isinstance(path, ast.Call) and app.dotted(path.func).endswith("Path") and len(path.args) == 1:
                target = app.text_of(path.args[0])
        if target and _is_below(target, function.mounts_at(is_read_only=True)):
            yield advice(
                f"{target!r} is written below a read-only mount",
                "write elsewhere, or mount without read_only=True",
                syntax(recipe).where(call),
                why="the run stops there with 'Read-only file system'",
            )
