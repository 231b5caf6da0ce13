"""Nothing is written below a read-only mount.

Looks at
    Functions with a bucket mount of `read_only=True`: `open(…, "w")`, `mkdir`, `os.makedirs` and `torch.save` with
    a path below it.
Why it matters
    The write fails with "Read-only file system" when the run gets there.
Example
    before   os.makedirs("/data/cache", exist_ok=True)
    after    os.makedirs("/tmp/cache", exist_ok=True)
How to fix
    Write to another path, or mount without `read_only=True`.
Source
    modal 1.6.4 CloudBucketMount(read_only=True).
"""

import ast
import re

from preflight.api import Findings, Function, Recipe, advice, app, rule
from preflight.rules.subjects import FUNCTIONS, syntax

MAKES = re.compile(r"^os\.(?:makedirs|mkdir)$|^torch\.save$|^(?:np|numpy)\.save")


@rule("RES701", FUNCTIONS.only(lambda f: any(m.is_read_only for m in f.mounts), "function with a read-only mount"))
def find(recipe: Recipe, function: Function) -> Findings:
    if function.where.path != recipe.source.path:
        return
    paths = [p.rstrip("/") for p, m in function.volumes.items() if isinstance(m, app.BucketMount) and m.is_read_only]
    for call in app.calls_in(*app.defs_of(function)):
        target = _written(call)
        if target and any(target == p or target.startswith(p + "/") for p in paths):
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
