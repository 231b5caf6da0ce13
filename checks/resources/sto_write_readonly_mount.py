"""Nothing is written below a mount that is read-only.

Looks at
    Functions with a bucket mount of `read_only=True`: `open(…, "w")`, `mkdir`, `os.makedirs` and `torch.save` with
    a path below it.
Why it matters
    The write fails with "Read-only file system" when the run gets there.
Example
    before   os.makedirs("/data/cache", exist_ok=True)
    after    os.makedirs("/tmp/cache", exist_ok=True)
Source
    modal 1.6.4 CloudBucketMount(read_only=True).
"""

import ast
import re
from collections.abc import Iterator

from preflight.api import (
    BucketMount,
    Context,
    Finding,
    Function,
    Recipe,
    advice,
    calls_in,
    counted,
    defs_of,
    dotted,
    functions_of,
    rule,
    syntax_of,
)

MAKES = re.compile(r"^os\.(?:makedirs|mkdir)$|^torch\.save$|^(?:np|numpy)\.save")


def applies(recipe: Recipe) -> str:
    return counted(len(_mounting(recipe)), "function with a read-only mount", "functions with a read-only mount")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax = syntax_of(recipe.source)
    for function in _mounting(recipe):
        paths = [p.rstrip("/") for p, m in function.volumes.items() if isinstance(m, BucketMount) and m.is_read_only]
        if syntax is None or function.where.path != recipe.source.path:
            continue
        for call in calls_in(*defs_of(function)):
            target = _written(call)
            if target and any(target == p or target.startswith(p + "/") for p in paths):
                yield advice(
                    f"{target!r} is written below a read-only mount",
                    "write elsewhere, or mount without read_only=True",
                    syntax.where(call),
                    why="the run stops there with 'Read-only file system'",
                )


def _mounting(recipe: Recipe) -> list[Function]:
    return [f for f in functions_of(recipe) if any(m.is_read_only for m in f.mounts)]


def _written(call: ast.Call) -> str:
    """The literal path that the call writes; "" for none."""
    name = dotted(call.func)
    texts = [a.value if isinstance(a, ast.Constant) and isinstance(a.value, str) else "" for a in call.args]
    if name == "open" and len(texts) > 1 and texts[1][:1] in ("w", "a", "x"):
        return texts[0]
    if MAKES.search(name):
        return next((t for t in texts if t.startswith("/")), "")
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("mkdir", "write_text", "write_bytes", "touch"):
        inner = call.func.value
        if isinstance(inner, ast.Call) and dotted(inner.func).endswith("Path") and len(inner.args) == 1:
            first = inner.args[0]
            return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return ""


CHECK = rule(
    id="RES701",
    name="sto-write-readonly-mount",
    title="nothing is written below a read-only mount",
    find=find,
    applies=applies,
)
