"""What Modal's client and its commands accept."""

import ast
import difflib
import io
import re
import tokenize
from collections.abc import Iterator

from preflight.api import Call, Findings, Function, Recipe, Subject, Where, advice, app, error, facts, rule
from preflight.app.syntax import Def
from preflight.facts.removed import removed_keywords
from preflight.rules.subjects import CALLS, FUNCTIONS, syntax

FLAT = ("pip_install", "uv_pip_install", "apt_install", "run_commands", "dockerfile_commands", "micromamba_install")
REMOTE = ("add_local_dir", "add_local_file")
WHY = "InvalidError when the file is imported: nothing of the app runs"
WITH_HOOKS = FUNCTIONS.only(
    lambda f: f.kind == "cls" and any(d.name == "modal.enter" for d in f.decorators), "class with hooks"
)
OWN_RULE = removed_keywords() | {"allow_concurrent_inputs"}  # told, with what takes its place, by a rule of its own
# Calls whose every keyword the table knows.  Images are judged by their class alone.
KNOWN_CALLS = CALLS.only(
    lambda c: (
        not c.is_bare
        and (parameters := facts.modal_api().parameters(c.name)) is not None
        and "**kwargs" not in parameters
        and not c.name.startswith("modal.Stub")
    ),
    "call of a known signature",
)
HINTS = (
    (
        re.compile(r"\bmodal\s+run\s+(?!-)\S+\.py\b[^\n`\"']*\s--detach\b"),
        "--detach after the file is an option of the app, which has none",
        "write `modal run --detach FILE …`",
    ),
    (
        re.compile(r"(?<!the )\bmodal\s+status\b(?!\s+page)"),
        "`modal status` is not a command",
        "write `modal token info`, or `modal billing summary` for what was spent",
    ),
    (
        re.compile(r"\bmodal\s+secret\s+create\s+\S+\s+(?:-e|--env)\s+[A-Za-z_]\w*="),
        "`modal secret create --env` names a Modal environment; K=V stands alone",
        "write `modal secret create NAME K=V …`",
    ),
)


@rule("PRJ950", CALLS)
def app_arg_type(recipe: Recipe, call: Call) -> Findings:
    """Arguments are of the types that the client accepts.

    Looks at: A tuple as a list of packages or commands, values of `.env()` that are not strings, remote paths that are
        not absolute, a lambda for `run_function`, and functions handed to Modal inside other functions without
        `serialized=True`.
    Why it matters: The client raises InvalidError when the file is imported: nothing of the app runs.
    Example:
        before   image.env({"MAX_JOBS": 4})
        after    image.env({"MAX_JOBS": "4"})
    How to fix: Write lists as lists and values of `.env()` as strings, give absolute remote paths, and define what
        Modal runs at the top level.
    Source: modal 1.6.4 _image.py and app.py, each tried against the installed client.
    """
    tree, node = syntax(recipe), call.node
    module, _, method = call.name.rpartition(".")
    if call.name in ("modal.App.function", "modal.App.cls"):
        holder = tree.parent(node) if node is not None else None
        if not isinstance(holder, Def | ast.ClassDef) or node not in holder.decorator_list:
            return
        is_serialized = "serialized" in call.kwargs or call.has_spread
        if not is_serialized and tree.function_of(holder) is not None and app.is_certain(recipe, call):
            yield error(
                f"{holder.name} is handed to Modal inside another function, and is not serialized",
                "move it to the top level, or add serialized=True",
                call.where,
                why=WHY,
            )
    elif module != "modal.Image" or not isinstance(node, ast.Call):
        return
    elif method in FLAT:
        yield from _tuples(recipe, node, method)
    elif method == "env" and node.args and isinstance(node.args[0], ast.Dict):
        yield from _variables(recipe, node.args[0])
    elif method in REMOTE:
        remote = call.given("remote_path", 1)
        if isinstance(remote, str) and not remote.startswith("/") and not call.has_spread:
            yield error(
                f"{method} to {str(remote)!r}; the client accepts absolute remote paths only",
                f"write {'/root/' + str(remote).removeprefix('./')!r} or another absolute path",
                call.where,
                why=WHY,
            )
    elif method == "run_function" and node.args and isinstance(node.args[0], ast.Lambda):
        yield error(
            "run_function gets a lambda; the client accepts a function with a name",
            "write it as a def at the top level",
            tree.where(node.args[0]),
            why=WHY,
        )


def _variables(recipe: Recipe, given: ast.Dict) -> Findings:
    tree = syntax(recipe)
    for key, value in zip(given.keys, given.values, strict=True):
        if isinstance(value, ast.Constant) and not isinstance(value.value, str) and key is not None:
            is_number, quoted = app.number(value.value) is not None, f'"{tree.text(value)}"'
            yield error(
                f".env {tree.text(key)} is {tree.text(value)}, which is not a string",
                f"write {quoted}" if is_number else "write it as a string",
                tree.where(value),
                why=WHY,
                fix=app.replaced(recipe.source.path, tree.span(value), quoted, is_safe=True) if is_number else None,
            )


def _tuples(recipe: Recipe, node: ast.Call, method: str) -> Findings:
    for arg in node.args:
        if isinstance(arg, ast.Tuple):
            text, span = syntax(recipe).text(arg), syntax(recipe).span(arg)
            is_bracketed = text.startswith("(") and text.endswith(")")
            yield error(
                f"{method} gets a tuple; the client accepts strings and lists of strings",
                "write it as a list",
                syntax(recipe).where(arg),
                why=WHY,
                fix=app.replaced(recipe.source.path, span, f"[{text[1:-1]}]", is_safe=True) if is_bracketed else None,
            )


@rule("PRJ985", WITH_HOOKS)
def app_snapshot_not_enabled(recipe: Recipe, function: Function) -> Findings:
    """A hook that runs before a snapshot has a snapshot to run before.

    Looks at: `@modal.enter(snap=True)` in classes, and `enable_memory_snapshot=` of `@app.cls(…)`.
    Why it matters: Without `enable_memory_snapshot=True` the client refuses the class: an InvalidError when the file is
        imported, and nothing of the app runs.
    Example:
        before   @app.cls(gpu="A100")                                 # with @modal.enter(snap=True) inside
        after    @app.cls(gpu="A100", enable_memory_snapshot=True)
    How to fix: Add `enable_memory_snapshot=True` to the class's decorator, or leave `snap=True` out.
    Source: modal/cls.py 1.6.4, run with and without the option.
    """
    if function.call.has_spread or "enable_memory_snapshot" in function.call.kwargs:
        return
    for hook in function.decorators:
        if hook.name == "modal.enter" and hook.kwargs.get("snap") is True:
            yield error(
                f"enter(snap=True) in {function.name}, which has no enable_memory_snapshot=True",
                "add enable_memory_snapshot=True to the class's decorator, or leave snap=True out",
                hook.where,
                why="an InvalidError when the file is imported: nothing of the app runs",
            )


@rule("PRJ720", KNOWN_CALLS)
def dep_unknown_kwarg(recipe: Recipe, call: Call) -> Findings:
    """Every keyword is one that the client's function has.

    Looks at: The keywords of every call of Modal's API in the file, against the signatures of the current client. Calls
        that take any keyword (`.remote()`, `from_registry`) and calls behind a test of the client's version are left
        out.
    Why it matters: A keyword that was removed, or never was, is a TypeError when the file is imported: nothing of the
        app runs.
    Example:
        before   modal.Secret.from_name("wandb", required=False)
        after    modal.Secret.from_name("wandb")
    How to fix: Write the parameter that the message names, or leave the keyword out.
    Source: The signatures of the client, facts/modal_api.toml.
    """
    api = facts.modal_api()
    parameters = None if call.is_bare else api.parameters(call.name)
    if parameters is None or call.node is None:
        return
    taken = {p for p in parameters if not p.startswith("*")}
    strange = [k for k in call.kwargs if k not in taken and k not in OWN_RULE and k != "**"]
    if not strange or not app.is_certain(recipe, call) or app.is_guarded(syntax(recipe), call.node):
        return
    public = sorted(n for n in taken if not n.startswith("_"))
    others = ", ".join(public[:12]) + (" …" if len(public) > 12 else "") or "none"
    for keyword in strange:
        near = difflib.get_close_matches(keyword, [t for t in taken if t not in call.kwargs], n=1, cutoff=0.8)
        yield error(
            f"{call.name.removeprefix('modal.')} has no parameter {keyword!r} (modal {api.version})",
            f"{near[0]} may be meant" if near else f"leave it out; it has {others}",
            app.keyword_where(recipe, call, keyword),
            why="a TypeError when the line runs: at import for what stands at the top level",
            fix=app.keyword_renamed(call, keyword, near[0], is_safe=False) if near else None,
        )


def _words(recipe: Recipe) -> Iterator[tuple[int, int, str]]:
    """Comments and strings that stand alone as statements, with line and column of their start."""
    text, before = recipe.source.text, tokenize.NEWLINE
    if not recipe.is_modal_app or not any(word in text for word in ("modal run", "modal status", "modal secret")):
        return
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            is_alone = before in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
            if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and is_alone):
                yield token.start[0], token.start[1], token.string
            if token.type not in (tokenize.NL, tokenize.COMMENT):
                before = token.type
    except (tokenize.TokenError, SyntaxError):
        return


@rule("PRJ960", Subject(_words, "text that shows modal's commands"))
def app_cli_hint(recipe: Recipe, words: tuple[int, int, str]) -> Findings:
    """The commands that the file shows are ones that modal has.

    Looks at: Docstrings and comments of the app: `modal run f.py … --detach`, `modal status`, and
        `modal secret create NAME --env K=V`.
    Why it matters: Each fails as it is written; the last one names a Modal environment and then lacks a key.
    Example:
        before   modal run app.py --action train --detach
        after    modal run --detach app.py --action train
    How to fix: Correct the command in the comment or docstring.
    Source: The modal 1.6.4 command line, each tried.
    """
    line, column, text = words
    for pattern, message, remedy in HINTS:
        for match in pattern.finditer(text):
            above = text.count("\n", 0, match.start())
            start = match.start() - (text.rfind("\n", 0, match.start()) + 1)
            where = Where(recipe.source.path, line + above, start + 1 + (0 if above else column))
            yield advice(f"{message}: {' '.join(match[0].split())[:80]}", remedy, where)
