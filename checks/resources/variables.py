"""The variables that code on Modal needs."""

import ast
import re
from collections.abc import Iterator

from preflight.api import Findings, Function, Recipe, Subject, advice, app, build, rule, warning
from preflight.redact import is_secret_name
from preflight.wording import listed

IN_CONTAINER = re.compile(
    r"^(?:PATH|HOME|PWD|USER|LANG|HOSTNAME|SHELL|TMPDIR|LD_LIBRARY_PATH|PYTHON\w*|MODAL_\w+|CUDA_\w+|NVIDIA_\w+"
    r"|RANK|LOCAL_RANK|WORLD_SIZE|MASTER_ADDR|MASTER_PORT|LOCAL_WORLD_SIZE|GROUP_RANK|SLURM_\w+)$"
)
SETS = frozenset({"os.environ.setdefault", "environ.setdefault", "os.putenv"})
UPDATES = frozenset({"os.environ.update", "environ.update"})
INSTEAD = {  # what makes a library look for no key, or for another
    "WANDB_API_KEY": ("WANDB_MODE", "WANDB_DISABLED"),
    "HF_TOKEN": ("HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH"),
    "AWS_ACCESS_KEY_ID": ("AWS_PROFILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    "AWS_SECRET_ACCESS_KEY": ("AWS_PROFILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"),
}
SIGNS_IN = {"wandb.login": "WANDB_API_KEY", "huggingface_hub.login": "HF_TOKEN", "login": "HF_TOKEN"}
OPEN_SECRETS = frozenset({"from_dotenv", "recorded"})  # whose keys are not all known


def _needs(recipe: Recipe) -> Iterator[tuple[Function, app.EnvironRead]]:
    """What each function on Modal can't do without; nothing where a .env file may hold it."""
    tree = app.syntax_of(recipe.source)
    if tree is None or any(app.dotted(c.func).endswith("load_dotenv") for c in tree.every(ast.Call)):
        return
    answered = {*_set_here(tree)} | {r.key for r in recipe.environ_reads if r.by == "in os.environ"}
    answered |= {key for key, others in INSTEAD.items() if answered & set(others)}
    caught = {tree.where(n) for n in tree.every(ast.Subscript) if tree.is_caught(n)}
    needed = [
        r
        for r in recipe.environ_reads
        if (r.is_required or (r.by[:2] != "os" and r.by != "in os.environ"))
        and r.key not in answered
        and not IN_CONTAINER.match(r.key)
        and r.where not in caught
    ]
    for function in app.functions_of(recipe) if needed else ():
        if function.where.path == recipe.source.path and function.body is not None:
            names = _reached(function.body, tree)
            yield from ((function, r) for r in needed if r.inside and r.inside.split(".")[0] in names)


def _set_here(tree: app.Syntax) -> Iterator[str]:
    """Variables that the file's own code sets."""
    for node in tree.every(ast.Subscript):
        if isinstance(node.ctx, ast.Store):
            yield app.environ_variable(node) or ""
    for call in tree.every(ast.Call):
        name = app.dotted(call.func)
        if name in SIGNS_IN and (call.args or call.keywords):
            yield SIGNS_IN[name]
        if name in SETS and call.args:
            yield app.text_of(call.args[0])
        elif name in UPDATES:
            yield from (k.arg for k in call.keywords if k.arg)
            yield from (app.text_of(k) for arg in call.args if isinstance(arg, ast.Dict) for k in arg.keys)


@rule("RES681", Subject(_needs, "variable that code on Modal needs").together())
def sto_environ_promised(recipe: Recipe, needs: list[tuple[Function, app.EnvironRead]]) -> Findings:
    """The variables that the code needs are promised by its secrets, or set by its image.

    Looks at: `os.environ["X"]` in a function that runs on Modal and in the helpers it calls, and what libraries read by
        themselves (`boto3.client`, `s3fs`, `wandb.init`, `huggingface_hub.login` …), against the keys of its secrets
        (`required_keys=`, `from_dict`), its `env=` and the `.env()` of its image. `os.getenv` and `os.environ.get` have
        a default, and are left out.
    Why it matters: A secret without the key shows as a KeyError when the line runs: after the image build, on the GPU.
        With `required_keys` Modal refuses it when the app starts.
    Example:
        before   @app.function(secrets=[modal.Secret.from_name("wandb")])
        after    @app.function(secrets=[modal.Secret.from_name("wandb", required_keys=["WANDB_API_KEY"])])
    How to fix: Name the key in `required_keys=` of the secret that holds it, or set the variable with `env=` or
        `.env()`.
    Source: modal 1.6.4 Secret.from_name; the libraries' own documentation of their variables.
    """
    told = set()
    for function, read in needs:
        given = _given(function)
        if given is None or {read.key, *INSTEAD.get(read.key, ())} & given or (read.key, read.where) in told:
            continue
        told.add((read.key, read.where))
        secrets = [s.name for s in function.secrets if isinstance(s, app.SecretRef) and s.name is not None]
        how = f'os.environ["{read.key}"]' if read.is_required else f"{read.key} through {read.by}"
        if secrets:
            names = listed([f"{n!r}" for n in secrets])
            yield advice(
                f"{function.name} reads {how}; of its secrets ({names}) none promises it",
                f'name it: modal.Secret.from_name("{secrets[0]}", required_keys=["{read.key}"])',
                read.where,
                why="Modal then refuses a secret without it when the app starts, before the GPU is paid",
            )
        elif _can_tell(function, read):
            yield warning(
                f"{function.name} reads {how}, and no secret, env= or .env() of its image sets it",
                f'give it a secret that holds it: modal.Secret.from_name("…", required_keys=["{read.key}"])',
                read.where,
                why="the container does not have your shell's variables: it stops at this line, on the GPU",
            )


def _reached(body: ast.AST, tree: app.Syntax) -> set[str]:
    """The function's name and those of the file's own functions that it calls, and they in turn."""
    defs = {n.name: n for n in tree.defs() if isinstance(tree.parent(n), ast.Module)}
    found: set[str] = set()
    pending = [body]
    while pending:
        current = pending.pop()
        found.add(getattr(current, "name", ""))
        for node in ast.walk(current):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                called = defs.get(node.func.id)
                if called is not None and called.name not in found:
                    found.add(called.name)
                    pending.append(called)
    return found


def _given(function: Function) -> set[str] | None:
    """Variables that the function's container has by its text; None where the text leaves that open."""
    given = function.call.kwargs.get("env")
    if function.call.has_spread or isinstance(given, app.Unresolved) or isinstance(function.images, app.Unresolved):
        return None
    names = {str(k) for k in given} if isinstance(given, dict) else set()
    for secret in function.secrets:
        if isinstance(secret, app.Unresolved) or secret.made_by in OPEN_SECRETS:
            return None
        names |= {*secret.keys, *secret.required_keys}
    for step in (step for image in function.images or () for step in image.steps):
        is_open = (step.method == "env" and not step.is_complete) or (
            step.method == "dockerfile_commands" and "ENV " in str(step.args)
        )
        if is_open:
            return None
        names |= {*step.env}
    return names if all(image.is_complete for image in function.images or ()) else None


def _can_tell(function: Function, read: app.EnvironRead) -> bool:
    """Nobody but a secret gives a credential; another variable may stand in a base image that was not read."""
    if is_secret_name(read.key):
        secrets = [s for s in function.secrets if isinstance(s, app.SecretRef)]
        return not any(s.made_by == "from_dict" and not s.keys for s in secrets)
    if isinstance(function.images, app.Unresolved):
        return False
    return all((base := build.base_of(image)) is not None and base.is_slim for image in function.images or ())
