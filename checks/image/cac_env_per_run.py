"""No layer changes with every run.

Looks at
    `.env()`, and the f-strings of `run_commands` and `dockerfile_commands`: the time, random numbers, uuids, the git
    commit, and environment variables of a CI job.  A stable build setting read with `os.environ.get` and
    a branch's name are left out.
Why it matters
    A layer is cached by its text: one that is new each time is built again, with every layer after it.
Example
    before   image.env({"GIT_SHA": os.environ["GITHUB_SHA"]}).pip_install("torch")
    after    @app.function(image=image, env={"GIT_SHA": os.environ.get("GITHUB_SHA", "")})
How to fix
    Give the value to the function, with `env=` or a Secret, or put the layer after everything else.
Source
    modal.com/docs/guide/images, caching; FastVideo 90d3bd19 moved such variables out.
"""

import ast
import re
from collections.abc import Iterator

from preflight.api import Findings, Link, Recipe, app, build, rule, warning
from preflight.rules.subjects import LAYERS, syntax

CHANGES = re.compile(
    r"^(?:time\.(?:time|time_ns|strftime|ctime|monotonic)|(?:datetime\.)?datetime\.(?:now|utcnow|today)|date\.today"
    r"|datetime\.date\.today|uuid\.uuid[14]|uuid[14]|random\.\w+|secrets\.token_\w+|os\.getpid|os\.urandom"
    r"|randint|np\.random\.\w+)$"
)
OF_A_JOB = re.compile(
    r"COMMIT|(?:^|_)SHA(?:$|_)|RUN_(?:ID|NUMBER|ATTEMPT)|BUILD_(?:ID|NUMBER|URL)|JOB_ID|TIMESTAMP|BUILDKITE_"
    r"|GITHUB_(?:SHA|RUN)|SESSION_ID"
)
GIT = re.compile(r"\bgit\b.*\b(?:rev-parse|describe|log)\b|^(?:rev-parse|describe)$")
READS = ("os.environ.get", "os.getenv", "environ.get")


@rule("IMG800", LAYERS)
def find(recipe: Recipe, link: Link) -> Findings:
    node = link.step.node
    if node is None or link.step.where.path != recipe.source.path:
        return
    for part, name in _parts(link, node):
        what = _changing(syntax(recipe), part)
        if what:
            yield warning(
                f"{name} holds {what}: the layer is new with every run",
                "give it to the function, with env= or a Secret, or put it after everything else",
                syntax(recipe).where(part),
                why="this layer and all after it are built again each time, extensions included",
            )


def _parts(link: Link, node: ast.Call) -> Iterator[tuple[ast.expr, str]]:
    for arg in [*node.args, *(k.value for k in node.keywords if k.arg in ("vars", "env"))]:
        if link.step.method == "env" and isinstance(arg, ast.Dict):
            for key, value in zip(arg.keys, arg.values, strict=True):
                shown = repr(key.value) if isinstance(key, ast.Constant) else "a variable"
                yield value, f".env {shown}"
        else:
            yield arg, f".{link.step.method}"


def _changing(tree: app.Syntax, node: ast.expr) -> str:
    """What in the expression is another with every run; "" for nothing."""
    for inner in [*build.sources_of(tree, node), *_bodies_of(tree, node)]:
        if isinstance(inner, ast.Call):
            name = app.dotted(inner.func)
            texts = [str(c.value) for c in app.strings_in(inner)]
            if CHANGES.match(name):
                return f"{name}()"
            if name.startswith("subprocess.") and any(GIT.search(t) for t in texts):
                return "the git commit"
            if name in READS and texts and OF_A_JOB.search(texts[0]):
                return f"the job's variable {texts[0]}"
        elif isinstance(inner, ast.Subscript) and app.dotted(inner.value) == "os.environ":
            key = inner.slice
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and OF_A_JOB.search(key.value):
                return f"the job's variable {key.value}"
    return ""


def _bodies_of(tree: app.Syntax, node: ast.expr) -> Iterator[ast.AST]:
    """The nodes of functions of the file that the expression, or a constant in it, calls."""
    called = {app.dotted(n.func) for n in build.sources_of(tree, node) if isinstance(n, ast.Call)}
    for each in tree.defs():
        if each.name in called and tree.is_import_time(each):
            yield from ast.walk(each)
